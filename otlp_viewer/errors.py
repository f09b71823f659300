"""The errors of the viewer.

ViewerError
├── RequestError            a request that is not accepted
│   ├── BadRequestError          400: the body is not what its headers say
│   ├── BodyTooLargeError        413: more bytes than the limit, before or after decompression
│   ├── UnsupportedMediaError    415: a content type or encoding that OTLP/HTTP does not have
│   └── UnavailableError         503: a store cannot take it now
├── DatabaseError
│   ├── DatabaseOpenError        the file is in use, not readable, or none of ours
│   ├── DatabaseVersionError     the file is of another version of this package
│   └── QueryError               a query failed
├── FilesError              there are no files to read, or not at all
├── SinkError               a store cannot take rows now
├── ListenError             the address cannot be bound
└── WaitTimeoutError        what `Store.wait_for` waited for did not arrive (also a TimeoutError)
"""


class ViewerError(Exception):
    """Root of everything that this package raises on purpose."""


class RequestError(ViewerError):
    """A request that cannot be accepted; `status` is its HTTP answer, `rpc_code` the gRPC one."""

    status = 400
    rpc_code = 3  # INVALID_ARGUMENT


class BadRequestError(RequestError):
    """The body cannot be decoded as what its headers promise."""


class BodyTooLargeError(RequestError):
    """The body has more bytes than the receiver takes."""

    status = 413
    rpc_code = 8  # RESOURCE_EXHAUSTED


class UnsupportedMediaError(RequestError):
    """The content type or the content encoding is none of OTLP/HTTP."""

    status = 415


class UnavailableError(RequestError):
    """A store cannot take the rows now; the sender is to try again."""

    status = 503
    rpc_code = 14  # UNAVAILABLE


class DatabaseError(ViewerError):
    """What has to do with the database."""


class DatabaseOpenError(DatabaseError):
    """The file cannot be used: open in another process, not readable, or none of ours."""


class DatabaseVersionError(DatabaseError):
    """The file's tables are those of another version of this package."""


class QueryError(DatabaseError):
    """A query is wrong, or the database is closed."""


class FilesError(ViewerError):
    """What was named holds no OTLP/JSON, or cannot be looked at; the message says what would."""


class SinkError(ViewerError):
    """A store cannot take the rows of a request now: none of them is in it."""


class ListenError(ViewerError):
    """The receiver's address cannot be bound: taken, not allowed, or not of this machine."""


class WaitTimeoutError(ViewerError, TimeoutError):
    """The store did not come to the awaited state in time; the message says what it holds."""
