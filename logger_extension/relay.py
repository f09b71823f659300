"""The function's own telemetry between its receiver and the channels.

State: requests that were taken and not forwarded yet, bounded in bytes. They wait for the end of
the handler: then all spans of its traces are there, and the CPU is free. Must not know what is done
to a request on its way (`signals.forwarding`), nor when a flush is due.
"""

from collections.abc import Callable, Iterable, Mapping

from logger_extension.channel import Channel
from logger_extension.policy.invocation import Invocation
from logger_extension.policy.self_time import TimedSpan
from logger_extension.signals.forwarding import Forwarding

# Traces first: they decide what becomes of the trace ids in the other signals.
ORDER = ("traces", "logs", "metrics")


class Relay:
    """Holds requests, and passes them on.

    Args:
        forwarding: prepares requests.
        channels: where requests of a signal go; one that is missing is off, as the user wished.
        max_bytes: how much may wait for the end of the handler.
        note_span: is told the time of each span, with the request id of its invocation.

    Attributes:
        waiting_bytes: how much waits.
    """

    def __init__(
        self,
        forwarding: Forwarding,
        channels: Mapping[str, Channel[bytes]],
        max_bytes: int,
        note_span: Callable[[str, TimedSpan], None],
    ) -> None:
        self._forwarding = forwarding
        self._channels = channels
        self._max_bytes = max_bytes
        self._note_span = note_span
        self._waiting: list[tuple[str, bytes]] = []
        self.waiting_bytes = 0

    @property
    def fill(self) -> float:
        """How full it is, 0 to 1."""
        return self.waiting_bytes / self._max_bytes

    def accept(self, signal: str, body: bytes) -> bool:
        """Take a serialized request; return whether there was room for it."""
        if self.waiting_bytes + len(body) > self._max_bytes:
            return False
        if signal in self._channels:
            self._waiting.append((signal, body))
            self.waiting_bytes += len(body)
        return True

    def forward(self, invocations: Iterable[Invocation]) -> None:
        """Put what waits into the channels; `invocations` are those that it may be about."""
        waiting, self._waiting = self._waiting, []
        self.waiting_bytes = 0
        for signal in ORDER:
            bodies = [body for kind, body in waiting if kind == signal]
            if not bodies:
                continue
            forwarded = self._forwarding.forward(signal, bodies, invocations)
            for body in forwarded.bodies:
                self._channels[signal].put(body, len(body))
            for request_id, span in forwarded.spans:
                self._note_span(request_id, span)
