"""The dependencies of the layer, from wheels for a Python and an architecture of Lambda's.

Owns where the locked versions stand and how uv is asked for them. Nothing is built from source and
nothing but the locked hashes is taken, so the same wheels come on every machine. Must not know what
of them is left out.
"""

import sys
from pathlib import Path

from deploy.layer.commands import find_tool, run
from deploy.layer.target import Target
from deploy.stage import find_shipped

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
    """Return the files with the locked versions."""
    names = ["layer", *(f"layer-{extra}" for extra in sorted(extras))]
    return [find_shipped(f"constraints/{name}.txt") for name in names]
