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
    extensions = root / "extensions"
    extensions.mkdir()
    # A copy, not a link: the launcher finds its home next to itself.
    shutil.copy(find_launcher(), extensions / NAME)
    (extensions / NAME).chmod(0o755)
    return extensions


def find_launcher() -> Path:
    """Return the launcher: in a checkout or, when installed from a wheel, beside this module."""
    for folder in (REPOSITORY, Path(__file__).resolve().parent):
        launcher = folder / "launcher" / NAME
        if launcher.is_file():
            return launcher
    raise FileNotFoundError(f"no launcher/{NAME} in {REPOSITORY}: reinstall the package")


def this_interpreter() -> Path:
    """Return the running interpreter, free of its virtual environment."""
    return (
        Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    )
