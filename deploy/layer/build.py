"""One layer, from nothing to a checked zip.

Owns the order of the work and the rule that a build that fails leaves no zip. Each step is a module
of its own.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.layer.archive import group_sizes, move_into_place, unpack, write_zip
from deploy.layer.bytecode import compile_tree, find_compiler
from deploy.layer.content import lay_tree, prune_wheels, slim_binaries
from deploy.layer.distributions import read_own, read_packages
from deploy.layer.errors import LayerError
from deploy.layer.interpreter import Bundled, copy_interpreter, fetch_interpreter
from deploy.layer.licences import write_licences
from deploy.layer.manifest import FILE as MANIFEST
from deploy.layer.manifest import write_manifest
from deploy.layer.sbom import write_sbom
from deploy.layer.startup import Bounds, Startup, check_imports, check_startup
from deploy.layer.target import UV, Target
from deploy.layer.wheels import install_wheels
from deploy.stage import NAME

# The newest glibc among Lambda's images: Amazon Linux 2023's.
LAMBDA_GLIBC = (2, 34)


@dataclass(frozen=True, slots=True)
class Built:
    """A finished layer.

    Attributes:
        archive: the zip.
        sizes: bytes unpacked and packed of each part, by name.
        startup: None where the launcher cannot be started here.
        notes: what its user should know.
    """

    archive: Path
    sizes: dict[str, tuple[int, int]]
    startup: Startup | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Filled:
    """What is known of a tree before it is packed: a Python that compiles for it, its glibc."""

    compiler: Path
    glibc: tuple[int, ...]


def build_layer(
    target: Target,
    archive: Path,
    *,
    bounds: Bounds | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Built:
    """Build a layer.

    Args:
        target: what for.
        archive: the zip to write; one that is there already is removed first.
        bounds: of its start; None for those of the project.
        tell: gets a line about each step.

    Raises:
        LayerError: it cannot be built, is too large or starts too slowly; there is no zip then.
    """
    archive.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="layer-") as folder:
        work = Path(folder)
        root = work / "opt"
        filled = _fill(target, root, work, tell)
        draft = work / archive.name
        tell("packing")
        write_zip(root, draft)
        sizes = _check_size(target, draft)
        tell("starting it from the unpacked zip")
        unpack(draft, work / "unpacked")
        check_imports(target, work / "unpacked", filled.compiler)
        startup = None
        if sys.platform == "linux":
            startup = check_startup(work / "unpacked", bounds or Bounds())
        archive.parent.mkdir(parents=True, exist_ok=True)
        move_into_place(draft, archive)
    return Built(archive, sizes, startup, tuple(_find_notes(target, filled)))


def name_part(name: str) -> str:
    """Return the part that a file of the zip belongs to, for the table of sizes."""
    top, _, rest = name.partition("/")
    if top != NAME:
        return "launcher"
    first, *more = rest.split("/")
    if first == "site-packages":
        # A module that is one file has its bytecode in a folder of all such modules.
        module = more[1] if more[0] == "__pycache__" else more[0]
        return f"{first}/{module.partition('.')[0]}"
    return "interpreter" if first in ("bin", "lib") else first


def _fill(target: Target, root: Path, work: Path, tell: Callable[[str], None]) -> _Filled:
    """Lay all files of the layer under `root`."""
    root.mkdir()
    home = lay_tree(root)
    site_packages = home / "site-packages"
    bundled = _bundle(target, home, work, tell) if target.interpreter is not None else None
    python = bundled.version if bundled else str(target.python)
    compiler = find_compiler(python)
    tell(f"installing wheels for Python {python} on {target.architecture}")
    install_wheels(target, python, site_packages)
    packages = [read_own(), *read_packages(site_packages), *([bundled.package] if bundled else [])]
    whole_version = bundled.package.version if bundled else None
    bill = write_sbom(site_packages, packages[0], work, interpreter=whole_version)
    prune_wheels(site_packages)
    glibc = slim_binaries(home, target.architecture)
    tell("compiling")
    compile_tree(root, compiler)
    (home / "sbom.cdx.json").write_text(bill)
    (home / "LICENSES.txt").write_text(write_licences(packages))
    told = write_manifest(target, packages, home, python=python, glibc=glibc)
    (home / MANIFEST).write_text(told)
    return _Filled(compiler, glibc)


def _check_size(target: Target, archive: Path) -> dict[str, tuple[int, int]]:
    """Return the sizes of the parts; raise LayerError with the largest if it is too much."""
    sizes = group_sizes(archive, name_part)
    size_bytes = archive.stat().st_size
    if size_bytes > target.limit_bytes:
        largest = sorted(sizes, key=lambda part: -sizes[part][1])[:5]
        raise LayerError(
            f"the zip has {size_bytes:,} bytes, {target.limit_bytes:,} are allowed; the largest"
            " parts: " + ", ".join(f"{part} {sizes[part][1]:,}" for part in largest)
        )
    return sizes


def _bundle(target: Target, home: Path, work: Path, tell: Callable[[str], None]) -> Bundled:
    """Copy the interpreter that was asked for."""
    prefix = Path(target.interpreter or "")
    if target.interpreter == UV:
        tell(f"fetching Python for {target.architecture}")
        prefix = fetch_interpreter(target, work / "python")
    return copy_interpreter(prefix, home, target.architecture)


def _find_notes(target: Target, filled: _Filled) -> Iterator[str]:
    if target.is_bundled and filled.glibc > LAMBDA_GLIBC:
        yield (
            f"this interpreter needs glibc {_dotted(filled.glibc)}, Amazon Linux 2023 has"
            f" {_dotted(LAMBDA_GLIBC)}: it runs only in images that are newer. --bundle-python uv"
            " takes one that runs everywhere"
        )
    if sys.platform != "linux":
        yield "the launcher was not started: that needs Linux"


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
