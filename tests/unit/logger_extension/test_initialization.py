"""The init of the sandbox, collected from its events."""

from logger_extension.events import InitReport, InitRuntimeDone, InitStart
from logger_extension.policy.initialization import Initialization

MS = 1_000_000


def test_an_init_is_taken_once() -> None:
    """Start, the runtime's end, and the end for all."""
    init = Initialization()
    init.started(InitStart("stream"), 10 * MS)
    init.runtime_done(InitRuntimeDone("success"), 40 * MS)
    init.reported(InitReport("success", duration_ms=50.5))
    facts = init.take()
    assert facts is not None
    assert (facts.start_unix_nano, facts.runtime_end_unix_nano) == (10 * MS, 40 * MS)
    assert facts.end_unix_nano == 60_500_000
    assert (facts.instance_id, facts.status, facts.is_restore) == ("stream", "success", False)
    assert init.take() is None


def test_nothing_told_is_nothing_taken() -> None:
    """A process that was started again hears nothing of init."""
    init = Initialization()
    init.runtime_done(InitRuntimeDone("success"), MS)
    init.reported(InitReport("success", duration_ms=1.0))
    assert init.take() is None


def test_the_first_failure_is_the_cause() -> None:
    """What the report says of it comes after."""
    init = Initialization()
    init.started(InitStart(), MS)
    init.runtime_done(InitRuntimeDone("error", "Runtime.ExitError"), 2 * MS)
    init.reported(InitReport("timeout", "Other", 9.0))
    facts = init.take()
    assert facts is not None
    assert (facts.status, facts.error_type) == ("error", "Runtime.ExitError")


def test_a_second_init_replaces_the_first() -> None:
    """After a failed init Lambda tries again, inside the first invocation."""
    init = Initialization()
    init.started(InitStart("a"), MS)
    init.runtime_done(InitRuntimeDone("error"), 2 * MS)
    init.started(InitStart("a", is_restore=True), 5 * MS)
    facts = init.take()
    assert facts is not None
    assert (facts.start_unix_nano, facts.end_unix_nano, facts.status) == (5 * MS, 5 * MS, "")
    assert facts.is_restore


def test_times_out_of_order_never_end_before_they_start() -> None:
    """A clock that steps back costs the length of a span, not the span."""
    init = Initialization()
    init.started(InitStart(), 10 * MS)
    init.runtime_done(InitRuntimeDone("success"), 3 * MS)
    facts = init.take()
    assert facts is not None
    assert facts.start_unix_nano == facts.runtime_end_unix_nano == facts.end_unix_nano
