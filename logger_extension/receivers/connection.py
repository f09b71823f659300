"""One HTTP/1.1 connection of a receiver: requests in their order, an answer to each.

Owns the transport. Must not decide anything: what may stay is the watcher's (`receivers.guard`),
what is answered the service's (`receivers.server`). The sender decides how long a connection lives:
a sandbox freezes for any length of time, and one that we closed on waking up, just when something
is sent on it, would cost that data.
"""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from enum import Enum, auto
from http import HTTPStatus
from typing import Protocol, cast

from logger_extension.errors import ProtocolError
from logger_extension.receivers.body import ChunkedBody, LengthBody, open_body
from logger_extension.receivers.request import Head, Response, take_head

# What is left of a refused body is thrown away so long: closed at once, the sender would see a
# reset instead of the answer.
LINGERING_S = 1.0

NO_HEAD = Head("", "", {}, 0, is_last=True)
NOTHING = LengthBody(0)  # of a body that is not there, or no longer kept

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


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

    def has_room(self, connection: "Connection", size_bytes: int) -> bool:
        """Hold so many bytes of a body; return whether there is room for them."""

    def move(self, connection: "Connection", stage: Stage) -> None:
        """Note a new stage."""

    def cut(self, connection: "Connection", reason: str) -> None:
        """End a connection at once, and count it."""

    def note(self, reason: str) -> None:
        """Count what was not let in."""

    def forget(self, connection: "Connection") -> None:
        """Note the end of a connection."""


class Service(Protocol):
    """Decides what is answered."""

    @property
    def max_body_bytes(self) -> int:
        """The largest body."""

    def check(self, head: Head) -> Response | None:
        """Return the answer to a request whose body is not wanted, else None."""

    def answer(self, head: Head, body: bytes) -> Response | Awaitable[Response]:
        """Return the answer to a request; what cannot be said at once is waited for."""

    def refuse(self, head: Head, status: HTTPStatus) -> Response:
        """Return the answer to a request whose body cannot be taken.

        The status is 413 (larger than the limit), 503 (others hold all there is to hold) or 400
        (its chunks are none).
        """


class Connection(asyncio.Protocol):
    """One connection; what stands here in public is kept for its watcher.

    Attributes:
        stage: where it is.
        age_ticks: for how long its request has been unfinished.
        held_bytes: what came of its request and is kept.
        has_served: whether a whole request has come over it.
    """

    __slots__ = (
        *("_body", "_head", "_seen_bytes", "_service", "_transport", "_unread", "_waiting"),
        *("_watcher", "age_ticks", "has_served", "held_bytes", "stage"),
    )

    def __init__(self, watcher: Watcher, service: Service) -> None:
        self._watcher = watcher
        self._service = service
        self._unread = bytearray()
        self._seen_bytes = 0
        self._head = NO_HEAD
        self._body: LengthBody | ChunkedBody = NOTHING
        self._waiting: asyncio.Future[Response] | None = None
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
        self.stage = Stage.LEAVING
        self._unread.clear()
        self._transport.abort()
        if self._waiting is not None:
            self._waiting.cancel()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Serve it if it may stay."""
        self._transport = cast("asyncio.Transport", transport)
        nowhere = ("",)  # of a socket that is gone already
        peer = transport.get_extra_info("peername") or nowhere
        own = transport.get_extra_info("sockname") or nowhere
        if not self._watcher.admit(self, peer[0], own[0]):
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read on. A fault of ours in an answer ends the connection; the event loop tells it."""
        if self._watcher.take(self, len(data)) and self.stage is not Stage.LEAVING:
            self._read(data)

    def pause_writing(self) -> None:
        """End it: our answers are short, so hundreds of them wait unread."""
        self._watcher.cut(self, "answers_unread")

    def connection_lost(self, _: BaseException | None) -> None:
        """Forget it; who has gone waits for no answer."""
        self._watcher.forget(self)
        if self._waiting is not None:
            self._waiting.cancel()

    def _read(self, data: bytes = b"") -> None:
        """Read on in one request; those behind it wait for their turn."""
        try:
            self._unread += data
            if self.stage is Stage.RECEIVING:
                self._take_head()
            elif self.stage is Stage.READING:
                self._take_body()
        except ProtocolError:
            self._watcher.note("malformed_request")
            self._leave(Response(HTTPStatus.BAD_REQUEST))
        except MemoryError:
            # It comes again; but what it tells comes later than anybody should wait.
            self._watcher.note("no_memory")
            self._leave(Response(HTTPStatus.SERVICE_UNAVAILABLE))
        if self._unread and self.stage in (Stage.IDLE, Stage.ANSWERING):
            self._transport.pause_reading()
            if self.stage is Stage.IDLE:
                asyncio.get_running_loop().call_soon(self._read_next)

    def _read_next(self) -> None:
        """Read what came with the request before, now that others had their turn."""
        self._transport.resume_reading()
        is_next = self.stage is Stage.IDLE and bool(self._unread)
        if is_next and self._watcher.take(self, len(self._unread)):
            self._read()

    def _take_head(self) -> None:
        head = take_head(self._unread, self._seen_bytes)
        self._seen_bytes = 0 if head else len(self._unread)
        if head is None:
            return
        self._head, self._body = head, open_body(head)
        refusal = self._service.check(head)
        if refusal and head.length_bytes == 0:
            self._finish(refusal)
        elif refusal:
            self._leave(refusal)
        elif (head.length_bytes or 0) > self._service.max_body_bytes:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            if head.expects_continue and not self._unread:
                self._transport.write(CONTINUE)
            self._take_body()

    def _take_body(self) -> None:
        before_bytes = len(self._body.content)
        try:
            is_whole = self._body.take(self._unread)
        except ProtocolError:
            self._refuse(HTTPStatus.BAD_REQUEST)
            return
        size_bytes = len(self._body.content)
        if size_bytes > self._service.max_body_bytes:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        elif self.stage is Stage.RECEIVING and is_whole:
            self._answer()  # what came in one piece was noted as it came
        else:
            if self.stage is Stage.RECEIVING:
                self._watcher.move(self, Stage.READING)
            if not self._watcher.has_room(self, size_bytes - before_bytes):
                self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
            elif is_whole:
                self._answer()

    def _answer(self) -> None:
        body, self._body = bytes(self._body.content), NOTHING
        answer = self._service.answer(self._head, body)
        if isinstance(answer, Response):
            self._finish(answer)
            return
        self._watcher.move(self, Stage.ANSWERING)
        self._waiting = asyncio.ensure_future(answer)
        self._waiting.add_done_callback(self._go_on)

    def _go_on(self, waiting: asyncio.Future[Response]) -> None:
        self._waiting = None
        if waiting.cancelled() or self.stage is Stage.LEAVING:
            return
        if error := waiting.exception():
            self._transport.abort()
            raise error
        self._finish(waiting.result())
        self._read_next()

    def _refuse(self, status: HTTPStatus) -> None:
        self._leave(self._service.refuse(self._head, status))

    def _finish(self, response: Response) -> None:
        if self._head.is_last:
            self._leave(response)
            return
        self._transport.write(response.write(is_last=False))
        if self.stage is not Stage.LEAVING:  # cut meanwhile, for nobody reads
            self.has_served |= response.status == HTTPStatus.OK
            self._watcher.move(self, Stage.IDLE)

    def _leave(self, response: Response) -> None:
        """Say farewell; the sender sees the end at once, we wait for its own."""
        self._unread.clear()
        self._body = NOTHING
        self._watcher.move(self, Stage.LEAVING)
        self._transport.write(response.write(is_last=True))
        with suppress(OSError):  # who has gone takes no end either
            self._transport.write_eof()
        asyncio.get_running_loop().call_later(LINGERING_S, self._transport.close)
