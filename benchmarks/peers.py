"""Extensions of others, run in the very same harness: `make bench PEERS="name=DIR ..."`.

DIR is an unpacked layer, as Lambda would lay it under /opt: what lies in `DIR/extensions` is
started. A layer that looks for its files under /opt itself needs /opt to be a link to DIR.

How a peer is told of the collector stands in `DIR/benchmark.json`, an object of environment
variables in which `{endpoint}`, `{host}` and `{port}` are replaced. Without that file it gets
OTEL_EXPORTER_OTLP_ENDPOINT. Nothing else of a peer is adapted.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

ADAPTER = "benchmark.json"
DEFAULT_ADAPTER = {"OTEL_EXPORTER_OTLP_ENDPOINT": "{endpoint}"}


class PeerError(ValueError):
    """A peer that cannot be run; the message says what to change."""


def read_peers(words: Sequence[str]) -> dict[str, Path]:
    """Return the peers of `name=DIR` words.

    Raises:
        PeerError: a word has another form, or its folder has no `extensions` to start.
    """
    peers = {}
    for word in words:
        name, separator, folder = word.partition("=")
        path = Path(folder).absolute()
        if not (name and separator and folder):
            raise PeerError(f"{word!r} is not NAME=DIR")
        if not (path / "extensions").is_dir():
            raise PeerError(f"{path} has no folder `extensions`: name the unpacked layer")
        peers[name] = path
    return peers


def make_environ(peer: Path, address: str) -> dict[str, str]:
    """Return the variables that lead a peer to the collector at HOST:PORT.

    Raises:
        PeerError: its adapter is no object of strings.
    """
    host, _, port = address.rpartition(":")
    values = {"{endpoint}": f"http://{address}", "{host}": host, "{port}": port}
    environ = {}
    for name, text in _read_adapter(peer / ADAPTER).items():
        for placeholder, value in values.items():
            text = text.replace(placeholder, value)  # noqa: PLW2901  (one after another)
        environ[name] = text
    return environ


def _read_adapter(path: Path) -> Mapping[str, str]:
    if not path.exists():
        return DEFAULT_ADAPTER
    try:
        adapter = json.loads(path.read_text())
    except ValueError as error:
        raise PeerError(f"{path} is not JSON: {error}") from error
    if not isinstance(adapter, dict) or not all(isinstance(v, str) for v in adapter.values()):
        raise PeerError(f"{path} must be an object of strings")
    return adapter
