"""Edges that take telemetry in: each owns one listening socket."""
