"""What tests of the running whole share."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_collection() -> Iterator[None]:
    """Collect no garbage while the test's own process plays Lambda and the collector.

    A full collection stops it for 130 to 200 ms, late in a run of all tests for 800. That is more
    than a collector's budget: the extension rightly sends again what was answered too late, and
    the collector has it twice.
    """
    gc.disable()
    yield
    gc.enable()
