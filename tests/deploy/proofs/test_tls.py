"""TLS from an unpacked zip, with its own OpenSSL where it has one, and authorities of the user."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from otlp_viewer import Collector
from tests.support.certificates import HAS_OPENSSL, make_certificates
from tests.support.layer_builds import BUNDLED, MANAGED, Builds
from tests.support.layer_worlds import Plan, play_in_sandbox

if TYPE_CHECKING:
    from deploy.layer.target import Target

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not HAS_OPENSSL, reason="openssl is not installed"),
]


@pytest.mark.parametrize("target", [MANAGED, BUNDLED], ids=["managed", "with interpreter"])
async def test_sends_by_https(builds: Builds, tmp_path: Path, target: Target) -> None:
    """Beside broken libraries and settings of OpenSSL, with SSL_CERT_FILE of the function."""
    folder = tmp_path / "certificates"
    folder.mkdir()
    certificates = make_certificates(folder)
    async with Collector() as collector:
        assert collector._runner is not None
        context = certificates.make_server_context(asks_client=False)
        await web.TCPSite(collector._runner, "127.0.0.1", 0, ssl_context=context).start()
        _, port = collector._runner.addresses[-1]
        plan = Plan(
            layer=builds.unpack(target),
            function="bash",
            python=None if target.is_bundled else Path(sys.base_prefix),
            environ={
                "OTEL_EXPORTER_OTLP_ENDPOINT": f"https://127.0.0.1:{port}",
                "SSL_CERT_FILE": certificates.file("authority.pem"),
            },
        )
        async with play_in_sandbox(plan, tmp_path) as stage:
            ids = [await stage.invoke() for _ in range(2)]
            await stage.stop()
        found = [each.request_id for each in collector.store.invocations()]
        assert found == ids, stage.said()
