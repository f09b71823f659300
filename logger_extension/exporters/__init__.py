"""Edges that send telemetry out: each owns one kind of connection."""
