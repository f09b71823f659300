"""The errors of the web view: each is answered with a page that says what to do next.

WebViewError                what a reader can cause; `status` is the HTTP answer
├── ParameterError          400: a parameter of the address is not what the page expects
├── ForeignHostError        403: the request names another host than this machine
└── MissingError            404: what the address names is not (or no longer) here
"""


class WebViewError(Exception):
    """Root of everything that this package raises on purpose."""

    status = 400
    title = "This cannot be shown"

    def __init__(self, message: str, *, way_on: tuple[str, str] | None = None) -> None:
        """Say what to do; `way_on` is an address that may help, and what is there."""
        super().__init__(message)
        self.way_on = way_on


class ParameterError(WebViewError):
    """A parameter that the page does not understand; the message says what it expects."""

    title = "The address asks for something unknown"


class ForeignHostError(WebViewError):
    """The Host header names another host: a page of a foreign site may be behind the request."""

    status = 403
    title = "Only for this machine"


class MissingError(WebViewError):
    """Nothing of that name is in the store; it may have made room for newer rows."""

    status = 404
    title = "Not here"
