"""A telemetry extension for AWS Lambda: what goes into the layer."""

__version__ = "0.1.0"
