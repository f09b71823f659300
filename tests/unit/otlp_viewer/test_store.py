"""The store: order, bounds, queries and waiting."""

import asyncio

import pytest

from otlp_viewer import Counts, Limits, Store, WaitTimeoutError
from tests.support.viewer_rows import REQUEST_ID, TRACE_ID, make_log, make_metric, make_server_span


def test_rows_stay_in_order_of_arrival() -> None:
    """Not in order of their timestamps: the arrival is what one looks for."""
    store = Store()
    store.add_logs([make_log(body="b", time_unix_nano=2), make_log(body="a", time_unix_nano=1)])
    store.add_logs([make_log(body="c", time_unix_nano=0)])
    assert [row.body for row in store.logs] == ["b", "a", "c"]


def test_a_full_store_makes_room_by_rows_and_says_so() -> None:
    """The oldest rows go; how many went is counted for each signal."""
    store = Store(Limits(max_rows=3))
    store.add_logs([make_log(body=number) for number in range(5)])
    store.add_spans([make_server_span()])
    assert [row.body for row in store.logs] == [2, 3, 4]
    assert store.evicted == Counts(logs=2)
    assert store.received == Counts(logs=5, spans=1)


def test_a_full_store_makes_room_by_bytes() -> None:
    """Each row stands for its share of the request that brought it."""
    store = Store(Limits(max_bytes=1_000))
    store.add_logs([make_log(body=1), make_log(body=2)], size_bytes=800)
    store.add_logs([make_log(body=3)], size_bytes=500)
    assert [row.body for row in store.logs] == [2, 3]
    store.add_logs([make_log(body=4)], size_bytes=1_001)
    assert list(store.logs) == []
    assert store.evicted == Counts(logs=4)
    store.add_logs([make_log(body=5)], size_bytes=1_000)
    assert [row.body for row in store.logs] == [5]


def test_queries_find_what_belongs_to_an_invocation() -> None:
    """By request id for logs, by trace id for the tree."""
    store = Store()
    mine, other = make_log(), make_log(attributes={"faas.invocation_id": "other"})
    store.add_logs([mine, other, make_log(attributes={})])
    store.add_spans([make_server_span()])
    assert store.logs_of(REQUEST_ID) == [mine]
    assert [found.request_id for found in store.invocations()] == [REQUEST_ID]
    assert [node.span for node in store.trace(TRACE_ID).roots] == list(store.spans)


def test_since_gives_what_came_after_an_earlier_look() -> None:
    """And still does when some of it had to make room."""
    store = Store(Limits(max_rows=2))
    store.add_logs([make_log(body="old")])
    seen = store.received
    assert list(store.since(seen).logs) == []
    store.add_logs([make_log(body="a"), make_log(body="b"), make_log(body="c")])
    store.add_metrics([make_metric()])
    arrivals = store.since(seen)
    assert [row.body for row in arrivals.logs] == ["b", "c"]
    assert list(arrivals.metrics) == [make_metric()]
    assert list(arrivals.spans) == []


async def test_wait_for_returns_at_once_when_the_predicate_holds() -> None:
    """Nothing needs to arrive for that."""
    await Store().wait_for(lambda store: not store.logs, timeout_s=0.01)


async def test_wait_for_wakes_on_the_arrival_that_it_waits_for() -> None:
    """Several may wait for different things; each is asked at each arrival only."""
    store = Store()
    questions = 0

    def two_logs(store: Store) -> bool:
        nonlocal questions
        questions += 1
        return len(store.logs) == 2

    async with asyncio.TaskGroup() as group:
        waits = [
            group.create_task(store.wait_for(two_logs, timeout_s=10)),
            group.create_task(store.wait_for(lambda store: bool(store.spans), timeout_s=10)),
        ]
        await asyncio.sleep(0)
        store.add_logs([make_log()])
        await asyncio.sleep(0)
        assert not any(task.done() for task in waits)
        store.add_logs([make_log()])
        store.add_spans([make_server_span()])
    assert questions == 3


async def test_wait_for_says_what_is_there_when_it_gives_up() -> None:
    """The message is the first thing that one reads of a failing test."""
    store = Store()
    store.add_logs([make_log()])
    with pytest.raises(WaitTimeoutError, match=r"the store holds 1 logs, 0 spans"):
        await store.wait_for(lambda store: len(store.logs) == 2, timeout_s=0.01)
