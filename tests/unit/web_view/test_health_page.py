"""The page of health: what metrics add up to."""

import pytest

from otlp_viewer import Distribution, MetricRow
from otlp_viewer.database import Database
from otlp_viewer.store import Limits
from tests.support.page_reader import PageReader
from tests.support.viewer_rows import START_UNIX_NANO, make_log, make_metric
from web_view.health_page import read_health
from web_view.source import Source

_S = 1_000_000_000
_DELTA, _CUMULATIVE = 1, 2


def _lost(value: float, reason: str = "queue_full", **changes: object) -> MetricRow:
    attributes = {"signal": "logs", "reason": reason}
    return make_metric(
        **(
            {
                "name": "logger_extension.dropped",
                "value": value,
                "attributes": attributes,
                "temporality": _DELTA,
                "resource": {"faas.name": "shop"},
            }
            | changes
        )
    )


def _decided(value: float, decision: str, reason: str) -> MetricRow:
    return make_metric(
        name="logger_extension.flush.decisions",
        value=value,
        attributes={"decision": decision, "reason": reason},
        temporality=_DELTA,
    )


def test_deltas_add_up_and_what_came_twice_counts_once(database: Database) -> None:
    """A point is known by its series and its time."""
    first = _lost(3, time_unix_nano=START_UNIX_NANO + _S)
    second = _lost(4, start_unix_nano=START_UNIX_NANO + _S, time_unix_nano=START_UNIX_NANO + 2 * _S)
    database.add_metrics([first, second, first])
    [loss] = read_health(Source(database)).losses
    assert (loss.function, loss.signal, loss.count) == ("shop", "logs", 7)


def test_of_a_cumulative_series_the_newest_counts(database: Database) -> None:
    """And a series that began anew counts beside the one before."""
    later = START_UNIX_NANO + 10 * _S
    database.add_metrics(
        [
            _lost(3, temporality=_CUMULATIVE, time_unix_nano=START_UNIX_NANO + _S),
            _lost(5, temporality=_CUMULATIVE, time_unix_nano=START_UNIX_NANO + 2 * _S),
            _lost(2, temporality=_CUMULATIVE, start_unix_nano=later, time_unix_nano=later + _S),
        ]
    )
    page = read_health(Source(database))
    assert [loss.count for loss in page.losses] == [7]
    assert page.lost == 7


def test_losses_have_their_meaning_most_first(database: Database) -> None:
    """A reason that we do not know stands without one."""
    lambdas = make_metric(name="aws.lambda.logs.dropped", value=9, temporality=_DELTA)
    database.add_metrics([_lost(3), _lost(5, reason="moon"), lambdas, _lost(0, reason="refused")])
    page = read_health(Source(database))
    assert [(loss.reason, loss.count, bool(loss.meaning)) for loss in page.losses] == [
        ("dropped_by_lambda", 9, True),
        ("moon", 5, False),
        ("queue_full", 3, True),
    ]
    assert [(each.name, each.lost) for each in page.deliveries] == [
        ("log lines", 17),
        ("spans", 0),
        ("metric points", 0),
    ]


def test_decisions_are_counted_over_functions(database: Database) -> None:
    """Most frequent first, as in the chart."""
    database.add_metrics(
        [_decided(2, "flush_now", "rare_invocations"), _decided(9, "wait", "cheap")]
    )
    page = read_health(Source(database))
    assert [(each.decision, each.count) for each in page.decisions] == [
        ("wait", 9),
        ("flush_now", 2),
    ]
    assert page.decisions_chart is not None
    assert list(page.decisions_chart["layout"]["yaxis"]["ticktext"]) == [
        "wait: cheap",
        "flush now: rare invocations",
    ]


def test_times_have_mean_and_most(database: Database) -> None:
    """In seconds, as they are sent."""
    spread = Distribution(count=4, sum=0.2, min=0.01, max=0.1)
    database.add_metrics(
        [
            make_metric(
                name="logger_extension.flush.duration",
                kind="histogram",
                value=spread,
                temporality=_DELTA,
            )
        ]
    )
    [(name, each)] = read_health(Source(database)).spreads
    assert (name, each.count, each.most) == ("a flush of all signals", 4, 0.1)
    assert each.mean == pytest.approx(0.05)


def test_the_store_tells_what_made_room() -> None:
    """It is bounded, and never silent about it."""
    with Database(limits=Limits(max_rows=10)) as database:
        for _ in range(30):
            database.add_logs([make_log()])
        stored = {each.name: each for each in read_health(Source(database)).stored}
    logs = stored["log lines"]
    assert logs.received == 30
    assert logs.held <= 10
    assert logs.evicted == logs.received - logs.held


async def test_the_page_gives_a_verdict(pages: PageReader, database: Database) -> None:
    """Before any figure."""
    assert "No extension has told anything of itself yet." in (await pages.get("/health")).main.text
    database.add_metrics([_decided(1, "wait", "cheap")])
    assert "No telemetry is known to be lost." in (await pages.get("/health")).main.text
    database.add_metrics([_lost(12_345)])
    text = (await pages.get("/health")).main.text
    assert "12,345 items of telemetry were lost." in text
    assert "The queue was full." in text
