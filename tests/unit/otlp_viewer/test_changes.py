"""Waiting for a change."""

import asyncio
import threading

import pytest

from otlp_viewer.changes import Changes


async def test_what_has_changed_already_is_not_waited_for() -> None:
    """Whoever has seen less is told at once."""
    changes = Changes()
    changes.tell()
    assert await changes.wait(0) == 1


async def test_all_that_wait_are_woken_from_another_thread() -> None:
    """The store is written in threads, pages live in the loop."""
    changes = Changes()
    waiting = [asyncio.create_task(changes.wait(0)) for _ in range(3)]
    await asyncio.sleep(0)
    thread = threading.Thread(target=changes.tell)
    thread.start()
    assert await asyncio.gather(*waiting) == [1, 1, 1]
    thread.join()


async def test_who_gives_up_leaves_nothing_behind() -> None:
    """A page that is closed is forgotten."""
    changes = Changes()
    task = asyncio.create_task(changes.wait(0))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not changes._waiting
    changes.tell()


def test_a_loop_that_has_ended_is_no_obstacle() -> None:
    """A waiter whose loop was closed under it is passed over."""
    changes = Changes()
    loop = asyncio.new_event_loop()
    task = loop.create_task(changes.wait(0))
    loop.call_soon(loop.stop)
    loop.run_forever()
    waiting = set(changes._waiting)
    task.cancel()
    loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    loop.close()
    changes._waiting = waiting
    changes.tell()
    assert changes.version == 1
