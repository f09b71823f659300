"""The errors of the cost report.

CostReportError
├── SourceError             the telemetry cannot be read
│   ├── UnknownSourceError      there is no such file or folder, or it is none that we read
│   ├── SourceBusyError         another process holds the store
│   └── DatabaseError           the ClickHouse server cannot be reached, or refuses
└── UnknownFieldError       a field that invocations cannot be grouped or compared by
"""


class CostReportError(Exception):
    """Root of everything that this package raises on purpose."""


class SourceError(CostReportError):
    """Telemetry cannot be read; the message says from where, why, and what to do."""


class UnknownSourceError(SourceError):
    """What was named is no store, no folder of OTLP/JSON lines and no address of a ClickHouse."""


class SourceBusyError(SourceError):
    """Another process holds the store open for writing."""


class DatabaseError(SourceError):
    """A server cannot be reached or refuses a query; never shows the password."""


class UnknownFieldError(CostReportError, ValueError):
    """Not a field of invocations that one can group or compare by."""
