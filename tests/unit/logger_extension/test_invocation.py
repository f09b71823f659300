"""The life of invocations: one end each, whatever order events come in."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.deadline import Deadline
from logger_extension.events import InvocationStart, InvokeEvent, Report, RuntimeDone
from logger_extension.policy import invocation as invocation_module
from logger_extension.policy.invocation import Invocation, Invocations
from tests.support.laws import LAW

MS = 1_000_000
T0 = 1_795_427_494_000_000_000
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:checkout:live"
HEADER = "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1"
DURATION_MS = 17.5

STARTS = {name: T0 + place * 100 * MS for place, name in enumerate("abcdef")}


@dataclass(frozen=True)
class Step:
    """One thing that the table is told, about one request, at the time that it really happened."""

    kind: str
    request_id: str

    def apply(self, table: Invocations) -> list[Invocation]:
        """Tell the table."""
        start = STARTS[self.request_id]
        done = start + int(DURATION_MS * MS)
        match self.kind:
            case "INVOKE":
                table.invoked(_invoke(self.request_id), start + MS)
                return []
            case "start":
                return table.started(InvocationStart(self.request_id), start)
            case "runtimeDone":
                return table.runtime_done(
                    RuntimeDone(self.request_id, "success", "", DURATION_MS), done
                )
            case _:
                if table.take_reported(self.request_id):
                    return []
                return table.reported(
                    Report(self.request_id, "success", "", DURATION_MS + 2), done + 2 * MS
                )


def _invoke(request_id: str, trace_header: str = "") -> InvokeEvent:
    return InvokeEvent(request_id, Deadline(0), ARN, trace_header)


def _run(table: Invocations, steps: list[Step]) -> list[Invocation]:
    return [finished for step in steps for finished in step.apply(table)]


def _table(*, is_concurrent: bool = False) -> Invocations:
    return Invocations(is_concurrent=is_concurrent)


KINDS = ("INVOKE", "start", "runtimeDone", "report")
ALL_STEPS = [Step(kind, request_id) for request_id in "abc" for kind in KINDS]


@LAW
@given(
    steps=st.permutations(ALL_STEPS),
    again=st.lists(st.sampled_from(ALL_STEPS), max_size=6),
    is_concurrent=st.booleans(),
)
def test_any_order_gives_one_span_an_invocation(
    steps: list[Step], again: list[Step], *, is_concurrent: bool
) -> None:
    """Late, early, twice: every request finishes exactly once."""
    table = _table(is_concurrent=is_concurrent)
    finished = _run(table, [*steps, *again])
    finished += table.end_all("spindown", T0 + 10_000 * MS)
    assert Counter(each.request_id for each in finished) == {"a": 1, "b": 1, "c": 1}
    for each in finished:
        assert each.status
        assert 0 < each.start_unix_nano <= each.end_unix_nano


@LAW
@given(steps=st.lists(st.sampled_from(ALL_STEPS)), is_concurrent=st.booleans())
def test_missing_events_give_at_most_one_span_an_invocation(
    steps: list[Step], *, is_concurrent: bool
) -> None:
    """Whatever is lost: none finishes twice, and each that began finishes."""
    table = _table(is_concurrent=is_concurrent)
    finished = _run(table, steps)
    finished += table.end_all("spindown", T0 + 10_000 * MS)
    begun = {step.request_id for step in steps if step.kind != "report"}
    assert sorted(each.request_id for each in finished) == sorted(begun)
    assert table.end_all("spindown", T0) == []


@st.composite
def _streams(draw: st.DrawFn) -> list[Step]:
    """Draw orders that Lambda produces: telemetry as a stream, INVOKEs and reports as they fall."""
    telemetry = [Step(kind, request_id) for request_id in "abcd" for kind in KINDS[1:3]]
    steps = list(telemetry)
    invoke_at = -1
    for request_id in "abcd":
        place = draw(st.integers(invoke_at + 1, len(steps)))
        steps.insert(place, Step("INVOKE", request_id))
        invoke_at = place
    for request_id in "abcd":
        done_at = steps.index(Step("runtimeDone", request_id))
        for _ in range(draw(st.integers(0, 2))):
            steps.insert(draw(st.integers(done_at + 1, len(steps))), Step("report", request_id))
    return steps


@LAW
@given(_streams())
def test_times_are_those_of_the_telemetry(steps: list[Step]) -> None:
    """However INVOKE and the reports fall between it, the telemetry's start and end are taken."""
    finished = _run(_table(), steps)
    assert [each.request_id for each in finished] == list("abcd")
    for each in finished:
        assert each.status == "success"
        assert each.start_unix_nano == STARTS[each.request_id]
        assert each.end_unix_nano == STARTS[each.request_id] + int(DURATION_MS * MS)
    assert [each.is_cold_start for each in finished].count(True) == 1


@LAW
@given(
    st.permutations([request_id for request_id in "abcdef" for _ in range(2)]),
)
def test_managed_instances_interleave(order: list[str]) -> None:
    """Several run at once and none ends another; the report is each one's end."""
    table = _table(is_concurrent=True)
    begun: set[str] = set()
    finished: list[Invocation] = []
    for request_id in order:
        finished += Step("report" if request_id in begun else "start", request_id).apply(table)
        begun.add(request_id)
        assert table.current is None
    assert sorted(each.request_id for each in finished) == list("abcdef")
    for each in finished:
        assert each.status == "success"
        assert each.start_unix_nano == STARTS[each.request_id]
        assert each.end_unix_nano == STARTS[each.request_id] + int((DURATION_MS + 2) * MS)
    assert not table.awaits_news


def test_the_next_start_ends_one_without_runtime_done() -> None:
    """After a crash or a timeout nobody may say how it ended: then that is what is said."""
    table = _table()
    _run(table, [Step("INVOKE", "a"), Step("start", "a"), Step("INVOKE", "b")])
    (abandoned,) = Step("start", "b").apply(table)
    assert (abandoned.request_id, abandoned.status, abandoned.error_type) == (
        "a",
        "error",
        "Unknown",
    )
    assert abandoned.end_unix_nano == STARTS["b"]
    assert table.is_finished("a")
    assert not table.is_finished("b")


def test_a_late_start_of_the_previous_one_does_not_end_the_current_one() -> None:
    """Telemetry of A that comes after INVOKE B says nothing of B."""
    table = _table()
    _run(table, [Step("INVOKE", "a"), Step("INVOKE", "b")])
    assert _run(table, [Step("start", "a")]) == []
    (finished,) = _run(table, [Step("runtimeDone", "a")])
    assert finished.request_id == "a"
    assert not table.is_finished("b")
    (finished,) = _run(table, [Step("start", "b"), Step("runtimeDone", "b")])
    assert (finished.request_id, finished.status) == ("b", "success")


def test_only_the_first_invocation_is_a_cold_start() -> None:
    """Whatever tells of it first."""
    for first in ("INVOKE", "start", "runtimeDone"):
        finished = _run(
            _table(), [Step(first, "a"), Step("runtimeDone", "a"), Step("runtimeDone", "b")]
        )
        assert [each.is_cold_start for each in finished] == [True, False]


def test_after_a_restart_there_is_no_cold_start() -> None:
    """The process that died has seen it."""
    table = Invocations(is_concurrent=False, has_cold_start=False)
    (finished,) = _run(table, [Step("start", "a"), Step("runtimeDone", "a")])
    assert not finished.is_cold_start


@pytest.mark.parametrize("invoke_header", [HEADER, ""])
@pytest.mark.parametrize("start_header", [HEADER, ""])
@pytest.mark.parametrize("invoke_first", [True, False])
def test_the_trace_is_learned_from_whoever_tells(
    invoke_header: str, start_header: str, *, invoke_first: bool
) -> None:
    """Telemetry omits the header of requests that are not sampled, INVOKE may come later."""
    table = _table()
    tellers: list[Any] = [
        lambda: table.invoked(_invoke("a", invoke_header), T0),
        lambda: table.started(InvocationStart("a", ARN, start_header), T0),
    ]
    for tell in tellers if invoke_first else reversed(tellers):
        tell()
    (finished,) = table.runtime_done(RuntimeDone("a", "success"), T0 + MS)
    assert finished.context.trace_header == (invoke_header or start_header)
    assert finished.function_arn == ARN


def test_the_trace_is_learned_even_when_invoke_comes_last() -> None:
    """The span that waits for export gets its trace."""
    table = _table()
    (finished,) = _run(table, [Step("start", "a"), Step("runtimeDone", "a")])
    assert table.invoked(_invoke("a", HEADER), T0) is None
    assert finished.context.trace_header == HEADER


def test_a_duration_that_is_not_told_is_taken_from_the_events_time() -> None:
    """The time at which Lambda made the event is close to the end."""
    table = _table()
    table.started(InvocationStart("a"), T0)
    (finished,) = table.runtime_done(RuntimeDone("a", "error", "Runtime.ExitError"), T0 + 5 * MS)
    assert finished.end_unix_nano == T0 + 5 * MS
    assert (finished.status, finished.error_type) == ("error", "Runtime.ExitError")


def test_a_span_never_ends_before_it_starts() -> None:
    """Clocks may step back."""
    table = _table()
    table.started(InvocationStart("a"), T0)
    (finished,) = table.runtime_done(RuntimeDone("a", "success"), T0 - 5 * MS)
    assert finished.end_unix_nano == finished.start_unix_nano == T0


def test_without_telemetry_invoke_and_next_are_the_times() -> None:
    """Local tools tell nothing else; the invocation says that it is an estimate."""
    table = _table()
    table.invoked(_invoke("a"), T0)
    (finished,) = table.end_unobserved("a", T0 + 7 * MS)
    assert (finished.start_unix_nano, finished.end_unix_nano) == (T0, T0 + 7 * MS)
    assert finished.is_estimated
    assert not table.awaits_news
    assert table.end_unobserved("a", T0 + 9 * MS) == []


@pytest.mark.parametrize(
    ("reason", "status", "error_type"),
    [("timeout", "timeout", ""), ("failure", "error", "Unknown"), ("spindown", "error", "Unknown")],
)
def test_shutdown_ends_what_is_open(reason: str, status: str, error_type: str) -> None:
    """Its reason is all that is known of the end."""
    table = _table()
    _run(table, [Step("INVOKE", "a"), Step("start", "a")])
    (finished,) = table.end_all(reason, T0 + MS)
    assert (finished.status, finished.error_type) == (status, error_type)


def test_a_report_ends_an_invocation_whose_runtime_done_is_missing() -> None:
    """On demand too: after some crashes only the report comes."""
    table = _table()
    table.started(InvocationStart("a"), T0)
    (finished,) = table.reported(Report("a", "error", "Extension.Crash", 5.0), T0 + 9 * MS)
    assert (finished.status, finished.error_type) == ("error", "Extension.Crash")
    assert finished.end_unix_nano == T0 + 5 * MS
    assert table.is_finished("a")


def test_a_report_of_an_unknown_invocation_says_nothing() -> None:
    """It is that of a process before us, which told of the invocation itself."""
    assert _table().reported(Report("a", "success"), T0) == []


def test_lines_belong_to_the_invocation_that_started_last() -> None:
    """Also after its end; INVOKE alone changes nothing, as lines come through telemetry."""
    table = _table()
    assert table.current is None
    _run(table, [Step("INVOKE", "a")])
    assert table.current is None
    _run(table, [Step("start", "a"), Step("runtimeDone", "a"), Step("INVOKE", "b")])
    assert table.current is table.find("a") is not None
    _run(table, [Step("start", "b")])
    assert table.current is table.find("b")


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform that never ends or reports anything cannot take the memory."""
    monkeypatch.setattr(invocation_module, "MAX_OPEN", 10)
    monkeypatch.setattr(invocation_module, "MAX_AWAITING_REPORT", 10)
    monkeypatch.setattr(invocation_module, "MAX_REMEMBERED", 10)
    table = _table(is_concurrent=True)
    for number in range(100):
        table.started(InvocationStart(f"open {number}"), T0)
        table.runtime_done(RuntimeDone(f"done {number}", "success"), T0)
    for held in (table._open, table._awaiting_report, table._finished):
        assert len(held) <= 10
