"""What the app does about garbage; what it runs is tested as a whole in tests/sandbox."""

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from logger_extension import app


@pytest.fixture
def start() -> Iterator[None]:
    """Leave the collector as the start does, and afterwards as it was."""
    gc.disable()
    yield
    gc.unfreeze()
    gc.enable()


class Api:
    """Answers `next` once, with SHUTDOWN."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.has_shut_down = False

    async def next_event(self) -> None:
        """Be the last event."""
        self.has_shut_down = True

    def close(self) -> None:
        """Do nothing."""


class Settings:
    """Settings that nobody complains of."""

    complaints = ()


@pytest.mark.usefixtures("start")
def test_garbage_is_collected_but_not_in_what_the_start_has_made() -> None:
    """Errors that form cycles go; modules and classes are not looked at again."""
    before = gc.get_freeze_count()
    app._collect_from_now()
    assert gc.isenabled()
    assert gc.get_freeze_count() > before + 1_000


@pytest.mark.usefixtures("start")
async def test_garbage_is_collected_after_a_fault_of_the_start_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is left then asks `next` for as long as the sandbox lives."""

    async def fail(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(app, "LambdaApi", Api)
    monkeypatch.setattr(app, "_serve", fail)
    handoff: Any = None
    settings: Any = Settings()
    await app._main(handoff, settings)
    assert gc.isenabled()
