"""A Python to carry along, for runtimes that have none: taken from a prefix or fetched by uv.

Owns what of an installation a service needs, and that it runs from anywhere: the libraries that it
links to, and that not every image of Lambda has, come along in `lib/`, where the launcher lets the
loader look. Must not know what runs on it.
"""

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from deploy.layer.commands import find_tool, run
from deploy.layer.distributions import Package
from deploy.layer.elf import find_binaries, lacks, read_binary
from deploy.layer.errors import LayerError
from deploy.layer.target import DEFAULT_PYTHON, PYTHONS, Target

# What of the standard library is for people, for building, or needs libraries that we do not.
# Patterns of names in lib/pythonX.Y and in its lib-dynload.
LEFT_OUT = (
    *("__pycache__", "site-packages", "dist-packages", "config-*", "*.a"),
    *("test", "tests", "idlelib", "tkinter", "turtle.py", "turtledemo", "pydoc_data"),
    *("ensurepip", "venv", "lib2to3", "distutils", "__phello__*"),
    *("_tkinter.*", "_test*", "_ctypes_test.*", "xx*.so", "_xx*.so"),
    *("curses", "_curses*", "readline.*", "dbm", "_dbm.*", "_gdbm.*", "sqlite3", "_sqlite3.*"),
    *("nis.*", "ossaudiodev.*", "spwd.*", "_crypt.*", "crypt.py", "sitecustomize.py"),
)


_PY_VERSION = re.compile(r'^#define PY_VERSION\s+"([^"]+)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Bundled:
    """A Python that was copied: its version such as `3.12`, and what it says about itself."""

    version: str
    package: Package


def fetch_interpreter(target: Target, folder: Path) -> Path:
    """Download a relocatable Python for the layer's architecture; return its prefix.

    Raises:
        LayerError: uv cannot get it.
    """
    version = target.python or DEFAULT_PYTHON
    # uv's name of a build: https://docs.astral.sh/uv/concepts/python-versions/
    build = f"cpython-{version}-linux-{target.machine}-gnu"
    install = ("python", "install", "--no-progress", "--no-bin", "--install-dir", folder, build)
    run([find_tool("uv"), *install])
    # Beside it lies a link by the minor version.
    found = {path.resolve() for path in folder.glob(f"cpython-{version}*") if path.is_dir()}
    if len(found) != 1:
        raise LayerError(f"uv did not install one {build} but {len(found)}")
    return found.pop()


def read_version(prefix: Path) -> str:
    """Return the version of the Python in a prefix, such as `3.12`.

    Raises:
        LayerError: there is no whole Python there, or not one that the extension runs on.
    """
    found = sorted(path.parent.name for path in prefix.glob("lib/python3.*/os.py"))
    versions = [name.removeprefix("python") for name in found]
    versions = [each for each in versions if (prefix / "bin" / f"python{each}").is_file()]
    if len(versions) != 1:
        raise LayerError(
            f"{prefix} is not the prefix of one Python (bin/python3.X and lib/python3.X/os.py):"
            " of a virtual environment, give what `python -c 'import sys; print(sys.base_prefix)'`"
            " prints"
        )
    if versions[0] not in PYTHONS:
        raise LayerError(
            f"{prefix} has Python {versions[0]}: the extension runs on {', '.join(PYTHONS)}"
        )
    return versions[0]


def copy_interpreter(prefix: Path, home: Path, architecture: str) -> Bundled:
    """Copy what is needed of a Python: `bin/python3`, `lib/pythonX.Y`, libraries.

    Args:
        prefix: of an installation.
        home: the folder of the layer that it goes to.
        architecture: what the layer is for.

    Raises:
        LayerError: there is no Python, or for another architecture, or it links to what is nowhere.
    """
    version = read_version(prefix)
    (home / "bin").mkdir()
    shutil.copy(prefix / "bin" / f"python{version}", home / "bin" / "python3")
    found = read_binary(home / "bin" / "python3").architecture
    if found != architecture:
        raise LayerError(f"the Python in {prefix} is for {found}, the layer is for {architecture}")
    library = home / "lib" / f"python{version}"
    shutil.copytree(prefix / "lib" / library.name, library, ignore=_leave_out)
    while missing := _find_missing(home):
        for name, wanting in missing.items():
            shutil.copy(_find_library(name, prefix, home, wanting), home / "lib" / name)
    return Bundled(version, _describe(prefix, version))


def _describe(prefix: Path, version: str) -> Package:
    """Return what a Python says about itself, which need not run on this machine."""
    whole_version = version
    for header in prefix.glob(f"include/python{version}*/patchlevel.h"):
        if found := _PY_VERSION.search(header.read_text()):
            whole_version = found[1]
    found_texts = prefix.glob(f"lib/python{version}/LICENSE.txt")
    texts = tuple((text.name, text.read_text(encoding="utf-8")) for text in found_texts)
    return Package("CPython", whole_version, "PSF-2.0", texts)


def _leave_out(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if any(fnmatch(name, pattern) for pattern in LEFT_OUT)]


def _find_missing(home: Path) -> dict[str, Path]:
    """Return each library that is linked to but not there, and a file that links to it."""
    binaries = find_binaries(home)
    present = frozenset(path.name for path in (home / "lib").iterdir())
    return {name: path for path in binaries for name in lacks(read_binary(path), present)}


def _find_library(name: str, prefix: Path, home: Path, wanting: Path) -> Path:
    """Return where a library is: in the prefix, or where this machine's loader finds it."""
    if (here := prefix / "lib" / name).is_file():
        return here
    relative = wanting.relative_to(home)
    origin = prefix / relative if (prefix / relative).is_file() else wanting
    for words in _ask_loader(origin):
        if words[0] == name and len(words) > 2 and Path(words[2]).is_file():  # noqa: PLR2004
            return Path(words[2])  # name => path (address)
    raise LayerError(f"{relative} links to {name}, which is neither in {prefix}/lib nor known here")


def _ask_loader(binary: Path) -> Iterable[list[str]]:
    try:
        said = run(["ldd", binary])
    except LayerError:  # made for another machine
        return []
    return [line.split() for line in said.splitlines() if line.strip()]
