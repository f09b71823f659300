"""Pure mapping of what Lambda says to OTLP messages: no await, no clock, no environment."""
