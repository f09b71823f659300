"""Giving invocations to runtime workers, without HTTP."""

from __future__ import annotations

import asyncio

import pytest

from lambda_sandbox import ApiError
from lambda_sandbox.changes import Changes
from lambda_sandbox.invocation import Invocation
from lambda_sandbox.runtime_slots import RuntimeSlots


def invocation(request_id: str = "r") -> Invocation:
    """An invocation to give away."""
    return Invocation(request_id, b"{}", called=0.0, timeout_ms=100)


def refused(slots: RuntimeSlots, request_id: str) -> tuple[int, str]:
    """Status and type of a response that is refused."""
    with pytest.raises(ApiError) as error:
        slots.begin_response(request_id)
    return error.value.status, error.value.error_type


async def test_one_after_the_other() -> None:
    """On demand: next, response, next; the second next ends the first invocation."""
    slots = RuntimeSlots(Changes(), parallel=False)
    waiting = asyncio.create_task(slots.next(lambda: True))
    await asyncio.sleep(0)
    assert slots.ready
    first = invocation()
    slots.give(first)
    assert await waiting is first
    assert refused(slots, "other") == (400, "InvalidRequestID")
    slots.end_response(slots.begin_response("r"))
    assert refused(slots, "r") == (403, "InvalidStateTransition")
    again = asyncio.create_task(slots.next(lambda: True))
    await asyncio.sleep(0)
    assert first.runtime_next is not None
    assert refused(slots, "r") == (400, "InvalidRequestID")
    again.cancel()


async def test_asking_again_without_an_answer() -> None:
    """A runtime that asks again before it answered gets the same invocation again."""
    slots = RuntimeSlots(Changes(), parallel=False)
    waiting = asyncio.create_task(slots.next(lambda: True))
    await asyncio.sleep(0)
    first = invocation()
    slots.give(first)
    await waiting
    assert await slots.next(lambda: True) is first


async def test_dead_connections_are_skipped() -> None:
    """A worker whose connection is gone gets no work."""
    slots = RuntimeSlots(Changes(), parallel=True)
    dead = asyncio.create_task(slots.next(lambda: False))
    await asyncio.sleep(0)
    assert not slots.has_worker()
    alive = asyncio.create_task(slots.next(lambda: True))
    await asyncio.sleep(0)
    assert slots.has_worker()
    slots.give(invocation())
    assert (await alive).request_id == "r"
    dead.cancel()


async def test_parallel_invocations_are_counted() -> None:
    """On Managed Instances each blocked call takes one, and a late response is 410."""
    slots = RuntimeSlots(Changes(), parallel=True)
    workers = [asyncio.create_task(slots.next(lambda: True)) for _ in range(2)]
    await asyncio.sleep(0)
    first, second = invocation("1"), invocation("2")
    slots.give(first)
    slots.give(second)
    assert slots.running == 2
    await asyncio.gather(*workers)
    slots.end_response(slots.begin_response("1"))
    second.timed_out = True
    assert slots.running == 1
    assert refused(slots, "2") == (410, "InvokeTimeout")
