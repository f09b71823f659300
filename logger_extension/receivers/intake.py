"""What the OTLP receivers share: a request is checked, offered, and answered.

Must not know the wire that a request came over, nor what the pipeline does with it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from logger_extension.signals.requests import count_items, make_answer, parse

NO_ROOM = "the extension's queue is full: what it cannot hold is dropped and counted"


class Intake(NamedTuple):
    """Takes requests of the function's own SDK.

    The check is a whole parse, because requests are passed on joined together: one that the
    collector cannot read would take its neighbours with it. It costs 0.5 us a span.

    Attributes:
        accept: takes a signal and a serialized request; says whether there was room for it. Must
            not block and must not raise.
        refuse: told of what was not taken: a reason, and how many records or requests.
        complain: told, in words, of what keeps a receiver from working.
    """

    accept: Callable[[str, bytes], bool]
    refuse: Callable[[str, int], None]
    complain: Callable[[str, str], None]

    def take(self, signal: str, body: bytes) -> Any:
        """Return the answer to a request, an `Export…ServiceResponse`.

        Without room it is a partial success with all records rejected: the specification forbids
        clients to send such data again, so the handler does not wait for us.

        Raises:
            ProtocolError: the bytes are no request of this signal.
        """
        request = parse(signal, body)
        if not body or self.accept(signal, body):
            return make_answer(signal)
        rejected = count_items(signal, request)
        self.refuse(f"{signal}.receiver_full", rejected)
        return make_answer(signal, rejected, NO_ROOM)
