"""The OpenTelemetry SDK for Node, installed once into the test environment and kept there.

Pinned by the lock file beside `function.js`; where npm cannot install it, tests are skipped with
npm's own words.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

SOURCES = Path(__file__).parent / "node"
FUNCTION = SOURCES / "function.js"
RUNTIME = SOURCES / "bootstrap.js"
MANIFESTS = ("package.json", "package-lock.json")
NPM_TIMEOUT_S = 100


def find_node() -> str:
    """Return the path of node; skip the test where there is none."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed")
    return node


def install_node_sdk() -> Path:
    """Return the folder of modules, for NODE_PATH; skip the test where npm fails."""
    find_node()
    home, reason = _provide_home()
    if reason:
        pytest.skip(f"npm cannot install the SDK: {reason}")
    return home / "node_modules"


@cache
def _provide_home() -> tuple[Path, str]:
    """Return where the SDK is, and why it is not there; tried once in a test run."""
    digest = hashlib.sha256(b"".join((SOURCES / name).read_bytes() for name in MANIFESTS))
    shelf = Path(sys.prefix) / "share" / "node"
    home = shelf / digest.hexdigest()[:16]
    if home.is_dir():
        return home, ""
    try:
        shelf.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=shelf) as folder:
            _install(Path(folder) / "installed", home)
    except subprocess.CalledProcessError as error:
        return home, str(error.stderr).strip()[-300:]
    except (OSError, subprocess.TimeoutExpired) as error:
        return home, str(error)
    return home, ""


def _install(folder: Path, home: Path) -> None:
    """Install into a folder and move it home as a whole; another process may have been faster."""
    folder.mkdir()
    for name in MANIFESTS:
        shutil.copy(SOURCES / name, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(
        command, cwd=folder, check=True, capture_output=True, timeout=NPM_TIMEOUT_S, text=True
    )
    try:
        folder.rename(home)
    except OSError:
        if not home.is_dir():
            raise
