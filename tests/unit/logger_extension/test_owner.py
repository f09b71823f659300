"""Which invocation a span or a line belongs to."""

from logger_extension.policy.invocation import Invocation
from logger_extension.policy.owner import Owners
from logger_extension.policy.trace_context import derive_context

MS = 1_000_000
START = 1_795_427_494_000 * MS
HEADER = "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1"
TRACE = bytes.fromhex("5f35ae120c0fec141ab77a00bc047aa2")
OTHER_TRACE = bytes(range(16))


def _invocation(request_id: str, from_ms: int, to_ms: int | None, header: str = "") -> Invocation:
    return Invocation(
        request_id,
        derive_context(request_id, header),
        start_unix_nano=START + from_ms * MS,
        end_unix_nano=0 if to_ms is None else START + to_ms * MS,
    )


def _find(owners: Owners, at_ms: float, request_id: str = "", trace: bytes = OTHER_TRACE) -> str:
    found = owners.find(request_id, trace, START + int(at_ms * MS))
    return found.request_id if found else ""


def test_by_time() -> None:
    """One at a time: the one that ran; an open one runs until now; between them is nobody's."""
    owners = Owners([_invocation("a", 0, 100), _invocation("b", 200, None)])
    assert [_find(owners, at_ms) for at_ms in (-10, 0, 50, 100, 150, 200, 9_000)] == [
        *("", "a", "a", "a", "", "b", "b")
    ]


def test_lambdas_clock_is_in_whole_milliseconds() -> None:
    """A span may seem to begin just before its invocation, or after its end."""
    owners = Owners([_invocation("a", 0, 100)])
    assert _find(owners, -0.9) == "a"
    assert _find(owners, 100.9) == "a"


def test_a_request_id_decides() -> None:
    """Whatever the time says; an id that is not known says nothing."""
    owners = Owners([_invocation("a", 0, 100), _invocation("b", 200, 300)])
    assert _find(owners, 250, request_id="a") == "a"
    assert _find(owners, 250, request_id="unknown") == "b"


def test_several_at_once() -> None:
    """The trace decides between them; without it nobody guesses."""
    owners = Owners([_invocation("a", 0, 100, HEADER), _invocation("b", 50, 150)])
    assert _find(owners, 75, trace=TRACE) == "a"
    assert _find(owners, 75) == ""
    assert _find(owners, 120, trace=TRACE) == "b"


def test_one_trace_through_several_invocations() -> None:
    """A function that is called twice in a trace: time decides."""
    owners = Owners([_invocation("a", 0, 100, HEADER), _invocation("b", 200, 300, HEADER)])
    assert _find(owners, 250, trace=TRACE) == "b"
