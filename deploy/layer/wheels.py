"""The dependencies of the layer, from wheels for a Python and an architecture of Lambda's.

Owns where the locked versions stand and how uv is asked for them. Nothing is built from source and
nothing but the locked hashes is taken, so the same wheels come on every machine. Must not know what
of them is left out.
"""

import sys
from pathlib import Path

from deploy.layer.commands import find_tool, run
from deploy.layer.target import Target

REPOSITORY = Path(__file__).resolve().parents[2]

# glibc 2.17: older than that of Amazon Linux 2 (2.26), which the runtime of Python 3.11 has.
PLATFORM = "manylinux2014"


def install_wheels(target: Target, python: str, folder: Path) -> None:
    """Install the locked dependencies into a folder.

    Args:
        target: the layer.
        python: the version that they are for, such as `3.12`.
        folder: becomes the layer's `site-packages`; with the metadata of each distribution.

    Raises:
        LayerError: a wheel cannot be had.
    """
    command: list[str | Path] = [
        find_tool("uv"),
        *("pip", "install", "--quiet", "--python", sys.executable),
        *("--target", folder, "--python-version", python),
        *("--python-platform", f"{target.machine}-{PLATFORM}"),
        *("--only-binary", ":all:", "--no-deps", "--require-hashes", "--link-mode", "copy"),
    ]
    for lock in find_locks(target.extras):
        command += ["--requirements", lock]
    run(command)


def find_locks(extras: tuple[str, ...]) -> list[Path]:
    """Return the files with the locked versions: in a checkout, or beside this module."""
    names = ["layer.txt", *(f"layer-{extra}.txt" for extra in sorted(extras))]
    for folder in (REPOSITORY / "constraints", Path(__file__).resolve().parent / "constraints"):
        if (folder / names[0]).is_file():
            return [folder / name for name in names]
    raise FileNotFoundError(f"no constraints/{names[0]} in {REPOSITORY}: reinstall the package")
