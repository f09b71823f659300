"""One HTTP connection of a receiver: aiohttp's protocol, which tells its watcher what comes.

Owns the transport, through aiohttp. Must not decide anything: what may stay is the watcher's
(`receivers.guard`). aiohttp bounds a request's head (8,190 bytes a line and 128 headers of 8,190
bytes), how many requests may queue behind each other (32), and the memory of a body that is read
(twice `read_bufsize`).
"""

import asyncio
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, Protocol, cast

from aiohttp import web
from aiohttp.http import HttpProcessingError

from logger_extension.selflog import say

OPTIONS: Mapping[str, Any] = {
    "access_log": None,
    "auto_decompress": False,  # bounded where it is done
    # A sandbox freezes for any length of time. A connection that we closed on waking up, just when
    # something is sent on it, would cost that data: the sender decides how long connections live.
    "keepalive_timeout": 7 * 24 * 3_600,
    # What is left of a refused body is thrown away so long: closed at once, the sender would see
    # a reset instead of the answer.
    "lingering_time": 1.0,
    "read_bufsize": 65_536,
}

# What a client does wrong, or that it went away.
OF_THE_CLIENT = (HttpProcessingError, ConnectionError, web.RequestPayloadError)


class Stage(Enum):
    """Where a connection is."""

    IDLE = auto()
    RECEIVING = auto()  # a request has begun, its head is not whole
    READING = auto()  # its body is not whole
    ANSWERING = auto()  # it is whole: its time is ours
    LEAVING = auto()  # it was refused


class Watcher(Protocol):
    """Decides what may stay."""

    def admit(self, connection: "Connection", peer: str, own: str) -> bool:
        """Return whether a new connection may stay, from one address to the other.

        An address is empty where there is none any more.
        """

    def take(self, connection: "Connection", size_bytes: int) -> bool:
        """Note bytes that came; return whether the connection still is."""

    def cut(self, connection: "Connection", reason: str) -> None:
        """End a connection at once, and count it."""

    def note_malformed(self) -> None:
        """Note bytes that are no HTTP."""

    def forget(self, connection: "Connection") -> None:
        """Note the end of a connection."""


class Connection(web.RequestHandler):
    """One connection; what it adds to aiohttp's is kept for its watcher.

    Attributes:
        stage: where it is.
        age_ticks: for how long its request has been unfinished.
        held_bytes: what came of its request and is kept.
        has_served: whether a whole request has come over it.
    """

    __slots__ = ("_watcher", "age_ticks", "has_served", "held_bytes", "stage")

    def __init__(self, watcher: Watcher, server: web.Server, **options: Any) -> None:
        super().__init__(server, **options)
        self._watcher = watcher
        self.stage = Stage.IDLE
        self.age_ticks = 0
        self.held_bytes = 0
        self.has_served = False

    @property
    def is_unfinished(self) -> bool:
        """Whether a part of a request has come, and more has to."""
        return self.stage in (Stage.RECEIVING, Stage.READING)

    def cut(self) -> None:
        """End it at once, whatever is under way."""
        transport = self.transport
        self.force_close()
        if transport is not None:
            transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Serve it if it may stay."""
        nowhere = ("",)  # of a socket that is gone already
        peer = transport.get_extra_info("peername") or nowhere
        own = transport.get_extra_info("sockname") or nowhere
        if self._watcher.admit(self, peer[0], own[0]):
            super().connection_made(transport)
        else:
            cast("asyncio.Transport", transport).abort()

    def data_received(self, data: bytes) -> None:
        """Parse what came; aiohttp itself calls this without data, to go on."""
        if not data or self._watcher.take(self, len(data)):
            super().data_received(data)

    def pause_writing(self) -> None:
        """End it: our answers are short, so hundreds of them wait unread."""
        super().pause_writing()
        self._watcher.cut(self, "answers_unread")

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget it."""
        self._watcher.forget(self)
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Count bytes that are no HTTP; answer them, or a fault of ours, as aiohttp does."""
        if isinstance(exc, HttpProcessingError):
            self._watcher.note_malformed()
        return super().handle_error(request, status, exc, message)

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Tell of a fault of ours as any other is told; a client's is no reason for a line."""
        error = kw.get("exc_info")
        # aiohttp reads on from a connection that was cut, and stumbles.
        is_gone = isinstance(error, RuntimeError) and self.transport is None
        if not is_gone and not isinstance(error, OF_THE_CLIENT):
            say("error", "internal error, the function is not affected", reason=repr(error or args))
