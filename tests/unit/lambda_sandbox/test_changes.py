"""Waiting for conditions."""

from __future__ import annotations

import asyncio

import pytest

from lambda_sandbox import SandboxEndedError
from lambda_sandbox.changes import Changes


async def test_until_looks_again_when_told() -> None:
    """A waiter returns when its predicate is true after a notice, not after just any notice."""
    changes = Changes()
    seen: list[int] = []
    waiting = asyncio.create_task(changes.until(lambda: len(seen) == 2))
    for number in range(2):
        await asyncio.sleep(0)
        assert not waiting.done()
        seen.append(number)
        changes.notify()
    await waiting


async def test_true_at_once_does_not_wait() -> None:
    """A predicate that is true already costs no turn of the loop, even when closed."""
    changes = Changes()
    changes.close()
    await changes.until(lambda: True)


async def test_close_ends_every_wait() -> None:
    """Nobody waits for what cannot come any more."""
    changes = Changes()
    waiting = [asyncio.create_task(changes.until(lambda: False)) for _ in range(3)]
    await asyncio.sleep(0)
    changes.close()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(result) for result in results} == {SandboxEndedError}


async def test_error_of_a_predicate_is_the_waiters() -> None:
    """What the predicate raises reaches the waiter."""
    with pytest.raises(ZeroDivisionError):
        await Changes().until(lambda: bool(1 // 0))
