"""The files that pages load: style sheet, script, icon, and plotly's script.

All are read once and kept, compressed as well: plotly's script, out of its package, is 4.8 MB
plain. Their addresses name their content, so a browser asks once and never sees an old one.
"""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import plotly

PATH = "/static/"
_FOLDER = Path(__file__).parent / "static"
# The script has no address of its own that plotly promises; its package has had it here for years.
_PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
_FILES = {
    "page.css": _FOLDER / "page.css",
    "page.js": _FOLDER / "page.js",
    "icon.svg": _FOLDER / "icon.svg",
    "plotly.min.js": _PLOTLY,
}
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_DIGEST_CHARS = 12


@dataclass(frozen=True, slots=True)
class Asset:
    """A file: its content, plain and by gzip, its media type, and a digest."""

    plain: bytes
    zipped: bytes
    media_type: str
    digest: str


@cache
def read_asset(name: str) -> Asset | None:
    """Return a file, None where there is no such file. Takes a while the first time."""
    path = _FILES.get(name)
    if path is None:
        return None
    plain = path.read_bytes()
    zipped = gzip.compress(plain, 6, mtime=0)
    return Asset(plain, zipped, _MEDIA_TYPES[path.suffix], _digest(plain))


@cache
def address_of(name: str) -> str:
    """Return the address of a file, which changes with its content."""
    return f"{PATH}{name}?v={_digest(_FILES[name].read_bytes())}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGEST_CHARS]
