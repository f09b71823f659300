"""The tree of the layer, laid from the installed environment by symlinks.

    <root>/extensions/logger-extension            the launcher, which Lambda starts
    <root>/logger-extension/logger_extension/     our package
    <root>/logger-extension/site-packages/        what it imports
    <root>/logger-extension/bin/python3           an interpreter, if one is to be carried along

On Lambda `<root>` is `/opt`. The local Lambda, the demo and the tests start the extension from such
a tree, so that what they run is what Lambda runs. Must not know how a zip is made.
"""

import shutil
import sys
import sysconfig
from pathlib import Path

import logger_extension

NAME = "logger-extension"
REPOSITORY = Path(__file__).resolve().parent.parent


def stage_layer(root: Path, *, interpreter: Path | None = None) -> Path:
    """Lay the tree under `root` and return its extensions folder.

    Args:
        root: an empty or absent folder; stands for `/opt`.
        interpreter: what `bin/python3` shall point to; without it the launcher looks where Lambda's
            managed Python runtimes have theirs.
    """
    home = root / NAME
    home.mkdir(parents=True)
    (home / "logger_extension").symlink_to(Path(logger_extension.__file__).resolve().parent)
    (home / "site-packages").symlink_to(sysconfig.get_path("purelib"))
    if interpreter is not None:
        (home / "bin").mkdir()
        (home / "bin" / "python3").symlink_to(interpreter)
    return place_launcher(root / "extensions")


def place_launcher(extensions: Path) -> Path:
    """Copy the launcher into a folder, which is made if it must be, and return that.

    A copy, not a link: the launcher finds its home next to itself.
    """
    extensions.mkdir(exist_ok=True)
    shutil.copy(find_launcher(), extensions / NAME)
    (extensions / NAME).chmod(0o755)
    return extensions


def find_launcher() -> Path:
    """Return the launcher."""
    return find_shipped(f"launcher/{NAME}")


def find_shipped(name: str) -> Path:
    """Return a file of the repository that wheels hold too, beside this module."""
    for folder in (REPOSITORY, Path(__file__).resolve().parent):
        if (file := folder / name).is_file():
            return file
    raise FileNotFoundError(f"no {name} in {REPOSITORY}: reinstall the package")


def this_interpreter() -> Path:
    """Return the running interpreter, free of its virtual environment."""
    return (
        Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    )
