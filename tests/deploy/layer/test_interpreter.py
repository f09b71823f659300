"""An interpreter carried along: taken from a prefix, or fetched by uv."""

import hashlib
import json
import platform
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from deploy.layer.build import build_layer
from deploy.layer.errors import LayerError
from deploy.layer.interpreter import copy_interpreter, read_version
from deploy.layer.target import Target
from deploy.stage import NAME
from tests.support.layer_builds import (
    ARCHITECTURE,
    BUNDLED,
    LOOSE,
    OTHER_ARCHITECTURE,
    RUNNING,
    Builds,
)

PREFIX = Path(sys.base_prefix)


def test_version_of_a_prefix() -> None:
    """The one whose library and program both are there."""
    assert read_version(PREFIX) == RUNNING


@pytest.mark.parametrize("prefix", [Path(sys.prefix), Path("/nowhere")], ids=["venv", "nothing"])
def test_what_is_no_prefix_is_refused(prefix: Path) -> None:
    """A virtual environment has no library of its own; the message says what to give."""
    with pytest.raises(LayerError, match="base_prefix"):
        read_version(prefix)


def test_a_version_that_the_extension_does_not_run_on(tmp_path: Path) -> None:
    """An old Python is refused before anything is copied."""
    for name in ("bin/python3.9", "lib/python3.9/os.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    with pytest.raises(LayerError, match=r"has Python 3\.9: the extension runs on 3\.11"):
        read_version(tmp_path)


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    """It would be found out only on Lambda otherwise."""
    message = f"is for {ARCHITECTURE}, the layer is for {OTHER_ARCHITECTURE}"
    with pytest.raises(LayerError, match=message):
        copy_interpreter(PREFIX, tmp_path, OTHER_ARCHITECTURE)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_it_runs_from_anywhere(builds: Builds) -> None:
    """Moved away from its prefix it finds its library, and OpenSSL, in the layer."""
    home = builds.unpack(BUNDLED) / NAME
    program = "import ssl, asyncio, sys; print(sys.prefix, asyncio.__file__, ssl.OPENSSL_VERSION)"
    done = subprocess.run(
        [home / "bin" / "python3", "-I", "-S", "-c", program],
        env={"LD_LIBRARY_PATH": str(home / "lib")},
        check=True,
        capture_output=True,
        text=True,
    )
    prefix, module, *version = done.stdout.split()
    assert Path(prefix).resolve() == home.resolve()
    assert Path(module).is_relative_to(prefix)
    assert version[0] == "OpenSSL"


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_uv_fetches_one(builds: Builds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real uv downloads and checks an archive, here from a folder instead of its usual host."""
    downloads = _make_downloads(builds.unpack(BUNDLED) / NAME, tmp_path)
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS_JSON_URL", str(downloads))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    target = Target(interpreter="uv", python=RUNNING, architecture=ARCHITECTURE)
    built = build_layer(target, tmp_path / "layer.zip", bounds=LOOSE)
    assert built.sizes["interpreter"][0] > 10_000_000


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_what_uv_cannot_get_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own words stand in the message, and there is no zip."""
    (tmp_path / "none.json").write_text("{}")
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS_JSON_URL", str(tmp_path / "none.json"))
    target = Target(interpreter="uv", architecture=ARCHITECTURE)
    with pytest.raises(LayerError, match=r"No download found|no download"):
        build_layer(target, tmp_path / "layer.zip")
    assert not (tmp_path / "layer.zip").exists()


def _make_downloads(home: Path, folder: Path) -> Path:
    """Pack an interpreter as python-build-standalone does; return uv's list of downloads."""
    archive = folder / "cpython.tar.gz"
    header = f"include/python{RUNNING}/patchlevel.h"
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        tar.add(home / "bin" / "python3", f"python/bin/python{RUNNING}")
        tar.add(home / "lib", "python/lib")
        tar.add(PREFIX / header, f"python/{header}")
    major, minor, patch = sys.version_info[:3]
    system = f"linux-{platform.machine()}-gnu"
    row = {
        "name": "cpython",
        "arch": {"family": platform.machine(), "variant": None},
        "os": "linux",
        "libc": "gnu",
        "major": major,
        "minor": minor,
        "patch": patch,
        "prerelease": "",
        "url": archive.as_uri(),
        "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
        "variant": None,
        "build": None,
    }
    downloads = folder / "downloads.json"
    downloads.write_text(json.dumps({f"cpython-{major}.{minor}.{patch}-{system}": row}))
    return downloads
