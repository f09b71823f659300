"""The tree under /opt: our package, the launcher, and of the wheels what runs.

Owns the layout, and what is left out of a wheel and why. Must not know where wheels come from.
"""

import shutil
from fnmatch import fnmatch
from pathlib import Path

import logger_extension
from deploy.layer.debug_information import cut_debug_information
from deploy.layer.elf import find_binaries, read_binary
from deploy.layer.errors import LayerError
from deploy.stage import NAME, place_launcher

# Sources of compiled modules, stubs, tests, and the commands that wheels install: never imported.
NOT_IMPORTED = (
    *("*.pyi", "py.typed", "*.pyx", "*.pxd", "*.pxi", "*.c", "*.h", "*.hash", ".hash"),
    *("*_testcapi.*", "test", "tests", "bin", "__pycache__"),
)

# botocore's descriptions of each AWS service, 25 MB: we sign requests, and make none through it.
UNUSED = ("botocore/data", "botocore/cacert.pem")

METADATA = "*.dist-info"


def lay_tree(root: Path) -> Path:
    """Lay launcher and package under `root`; return the folder of all the rest."""
    home = root / NAME
    ignored = shutil.ignore_patterns(*NOT_IMPORTED)
    package = Path(logger_extension.__file__).resolve().parent
    shutil.copytree(package, home / package.name, ignore=ignored)
    place_launcher(root / "extensions")
    return home


def prune_wheels(folder: Path) -> None:
    """Remove from installed wheels what is not imported, and their metadata."""
    for path in sorted(folder.rglob("*"), reverse=True):
        name = path.relative_to(folder).as_posix()
        patterns = (*NOT_IMPORTED, METADATA)
        if name in UNUSED or any(fnmatch(path.name, pattern) for pattern in patterns):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    (folder / ".lock").unlink(missing_ok=True)


def slim_binaries(home: Path, architecture: str) -> tuple[int, ...]:
    """Cut debug information off all compiled files; return the least glibc that they run with.

    Raises:
        LayerError: one of them is for another architecture.
    """
    glibc: tuple[int, ...] = ()
    for path in find_binaries(home):
        binary = read_binary(path)
        if binary.architecture != architecture:
            raise LayerError(
                f"{path.relative_to(home)} is for {binary.architecture},"
                f" the layer is for {architecture}"
            )
        path.write_bytes(cut_debug_information(path.read_bytes()))
        glibc = max(glibc, binary.glibc)
    return glibc
