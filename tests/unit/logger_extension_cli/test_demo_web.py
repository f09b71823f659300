"""The page of `demo --web`: which port it has."""

import pytest

from logger_extension_cli import demo_web
from logger_extension_cli.errors import UsageError
from otlp_viewer import Collector


async def test_a_usual_port_that_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any free one is as good, unless one was asked for."""
    async with Collector() as other:
        taken = int(other.endpoint.rpartition(":")[2])
        monkeypatch.setattr(demo_web, "DEFAULT_PORT", taken)
        async with demo_web.open_page(None) as collector:
            assert collector.endpoint != other.endpoint
        with pytest.raises(UsageError, match="cannot listen"):
            async with demo_web.open_page(taken):
                pass


async def test_the_usual_port(monkeypatch: pytest.MonkeyPatch, unused_port: int) -> None:
    """Is taken where it is free."""
    monkeypatch.setattr(demo_web, "DEFAULT_PORT", unused_port)
    async with demo_web.open_page(None) as collector:
        assert collector.endpoint == f"http://127.0.0.1:{unused_port}"
