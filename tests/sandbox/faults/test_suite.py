"""The fault suite: each fault on the running whole; docs/reliability.md is made of the same."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.faults.suite import find_all

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.faults.figures import Fault


ATTEMPTS = 3


def to_case(fault: Fault) -> object:
    """Return a fault with the marks that it needs."""
    marks = [pytest.mark.timeout(600 if fault.is_slow else 90)]
    if fault.is_slow:
        marks.append(pytest.mark.slow)
    if fault.needs_root:
        marks.append(pytest.mark.skipif(os.geteuid() != 0, reason="needs root"))
    return pytest.param(fault, id=fault.name, marks=marks)


@pytest.mark.parametrize("fault", [to_case(fault) for fault in find_all()])
async def test_fault(tmp_path: Path, fault: Fault) -> None:
    """The function does not notice, and no more is lost or doubled than must be.

    A collector that answers later than its budget allows is sent the same again, and this process,
    which plays it, is sometimes stopped for that long by others on the machine. So a fault is
    played again when its row is missed, at most twice; a real fault misses each time.
    """
    breaches = []
    for attempt in range(ATTEMPTS):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        figures = await fault.play(folder)
        if not (missed := fault.required.find_breaches(figures)):
            return
        breaches.append((missed, figures))
    pytest.fail(f"missed {ATTEMPTS} times: {breaches}")
