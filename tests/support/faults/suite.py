"""All faults, in the order of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.faults import collector, endings, loads, processes, times

if TYPE_CHECKING:
    from tests.support.faults.figures import Fault


def find_all() -> list[Fault]:
    """Return all faults."""
    modules = (collector, times, processes, loads, endings)
    return [fault for module in modules for fault in module.find_faults()]
