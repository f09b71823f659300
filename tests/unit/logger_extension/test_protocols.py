"""An exporter for each protocol, and what is told when the layer cannot speak one."""

import subprocess
import sys
from typing import Any

import pytest

from logger_extension.errors import ConfigError
from logger_extension.exporters.otlp_grpc import GrpcExporter
from logger_extension.exporters.otlp_http import HttpExporter
from logger_extension.exporters.protocols import open_exporter
from tests.support.export_targets import make_target


@pytest.mark.parametrize(
    ("protocol", "kind"),
    [("http/protobuf", HttpExporter), ("http/json", HttpExporter), ("grpc", GrpcExporter)],
)
async def test_each_protocol_has_its_exporter(protocol: str, kind: type[Any]) -> None:
    """Opened and closed without a connection."""
    async with open_exporter(make_target(protocol=protocol)) as exporter:
        assert type(exporter) is kind


@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json", "grpc"])
def test_a_bad_certificate_is_told_by_every_protocol(protocol: str) -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigError, match="OTEL_EXPORTER_OTLP_CERTIFICATE"):
        open_exporter(make_target(protocol=protocol, insecure=False, ca_file="/nowhere.pem"))


def test_a_layer_without_grpc_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the extra that it needs and the way around."""
    monkeypatch.delitem(sys.modules, "logger_extension.exporters.otlp_grpc")
    monkeypatch.setitem(sys.modules, "grpc", None)
    with pytest.raises(ConfigError, match=r"grpc extra.*http/protobuf"):
        open_exporter(make_target(protocol="grpc"))


def test_grpc_is_imported_only_when_it_is_chosen() -> None:
    """It costs 40 ms."""
    source = "import sys, logger_extension.exporters.protocols; sys.exit('grpc' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", source], check=False).returncode == 0
