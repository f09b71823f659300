"""Compiled Python beside its source, for a layer that nobody can write to.

Owns how `.pyc` files are made: they hold no time of their source and are never checked against it
(PEP 552, unchecked hash), so importing one reads one file and stats no other. The same source gives
the same bytes. Must not know what is compiled.
"""

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from deploy.layer.commands import find_tool, run
from deploy.layer.errors import LayerError

# Where tracebacks say the source is.
ROOT = "/opt"


def compile_tree(root: Path, python: Path) -> None:
    """Compile every module below `root`, which stands for /opt.

    Args:
        root: the tree.
        python: an interpreter of the version that will run it.

    Raises:
        LayerError: a module is not Python of that version.
    """
    command: list[str | Path] = [
        *(python, "-S", "-m", "compileall", "-q", "-j", "1"),
        *("--invalidation-mode", "unchecked-hash", "-s", root, "-p", ROOT, root),
    ]
    # Constant sets are written in the order of their hashes.
    run(command, environ={"PYTHONHASHSEED": "0"})


def find_compiler(version: str) -> Path:
    """Return a Python of a version on this machine, for compiling; uv fetches one if it must.

    Raises:
        LayerError: there is none and none can be had.
    """
    for candidate in _find_candidates(version):
        if _runs_as(candidate, version):
            return candidate
    uv = find_tool("uv")
    try:
        run([uv, "python", "install", "--no-progress", "--no-bin", version])
        return Path(run([uv, "python", "find", "--no-project", version]).strip())
    except LayerError as error:
        raise LayerError(
            f"Python {version} is needed to compile for it, and there is none on this machine:"
            f" put a python{version} on the PATH ({error})"
        ) from error


def _find_candidates(version: str) -> Iterable[Path]:
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        yield Path(sys.executable)
    if on_path := shutil.which(f"python{version}"):
        yield Path(on_path)
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(root.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)


def _runs_as(python: Path, version: str) -> bool:
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        return run([python, "-I", "-S", "-c", program]).strip() == version
    except LayerError:  # a shim of a version that is not chosen, for example
        return False
