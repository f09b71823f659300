"""The errors of the extension: one tree, so that a caller can name exactly what it survives.

    ExtensionError
    ├── ConfigError            a setting that cannot be used, with what to set instead
    ├── LambdaApiError         the Extensions or Telemetry API answered other than hoped
    ├── AwsError               a secret, credentials or a signature that cannot be had
    └── ProtocolError          bytes that are not the protocol they should be

Foreign exceptions (`OSError`, `aiohttp.ClientError`, `orjson.JSONDecodeError`) are translated where
they arise, in the edges; above them only these are known. Failed exports are no exceptions but
values (`logger_extension.policy.outcome`): a collector that is down is ordinary.

Must not import anything: the bootstrap reads this module before anything else.
"""


class ExtensionError(Exception):
    """Any error that the extension raises on purpose."""


class ConfigError(ExtensionError):
    """A setting cannot be used; the message names the variable and what to set instead."""


class LambdaApiError(ExtensionError):
    """An API of Lambda refused a call or could not be reached.

    Attributes:
        operation: what was asked: `register`, `subscribe`, `next`, `init/error`, `exit/error`.
        status: the HTTP status, or None when no answer came.
        detail: the answer's body or the reason why there was none, cut to 500 characters.
    """

    def __init__(self, operation: str, status: "int | None", detail: str) -> None:
        self.operation = operation
        self.status = status
        self.detail = detail[:500]
        super().__init__(f"Lambda API {operation}: {status or 'no answer'}: {self.detail}")


class AwsError(ExtensionError):
    """A secret, credentials or a signature cannot be had; the message holds none of them."""


class ProtocolError(ExtensionError):
    """The peer sent bytes that break the protocol."""
