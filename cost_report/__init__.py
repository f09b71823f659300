"""What invocations and features cost, from tables of telemetry, and whether a change would save.

Written with Ibis: the same expressions run in DuckDB and in ClickHouse. Never part of the layer.
"""
