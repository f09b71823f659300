"""The fault suite: each fault on the running whole; docs/reliability.md is made of the same."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.faults.suite import find_all

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.faults.figures import Fault


def to_case(fault: Fault) -> object:
    """Return a fault with the marks that it needs."""
    marks = [pytest.mark.timeout(300), pytest.mark.slow] if fault.is_slow else []
    if fault.needs_root:
        marks.append(pytest.mark.skipif(os.geteuid() != 0, reason="needs root"))
    return pytest.param(fault, id=fault.name, marks=marks)


@pytest.mark.parametrize("fault", [to_case(fault) for fault in find_all()])
async def test_fault(tmp_path: Path, fault: Fault) -> None:
    """The function does not notice, and no more is lost than must be."""
    figures = await fault.play(tmp_path)
    assert fault.required.find_breaches(figures) == [], figures
