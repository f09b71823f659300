"""All faults, in the order of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.faults import collector, times

if TYPE_CHECKING:
    from tests.support.faults.figures import Fault


def find_all() -> list[Fault]:
    """Return all faults."""
    return [*collector.find_faults(), *times.find_faults()]
