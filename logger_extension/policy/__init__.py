"""Pure decisions: no await, no clock, no environment, no socket."""
