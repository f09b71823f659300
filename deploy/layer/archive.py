"""The zip: the same content gives the same bytes.

Owns order, times and modes of its entries, and that a zip is whole or not there. Must not know what
it holds.
"""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

# The first moment that the format can tell.
EPOCH = (1980, 1, 1, 0, 0, 0)
EXECUTABLE, READABLE = 0o100755, 0o100644


def write_zip(root: Path, archive: Path) -> None:
    """Pack all files below `root`, sorted, without times and owners."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(root).as_posix(), EPOCH)
            entry.create_system = 3  # Unix: only then do readers look at the mode
            mode = EXECUTABLE if path.stat().st_mode & 0o100 else READABLE
            entry.external_attr = mode << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, path.read_bytes(), compresslevel=9)


def unpack(archive: Path, root: Path) -> None:
    """Unpack as Lambda does: into an empty folder, with the modes."""
    with zipfile.ZipFile(archive) as source:
        source.extractall(root)
        for entry in source.infolist():
            (root / entry.filename).chmod(entry.external_attr >> 16 & 0o777)


def group_sizes(archive: Path, group: Callable[[str], str]) -> dict[str, tuple[int, int]]:
    """Return bytes unpacked and packed, added up by what `group` says of each name."""
    sizes: dict[str, tuple[int, int]] = {}
    with zipfile.ZipFile(archive) as source:
        for entry in source.infolist():
            key = group(entry.filename)
            unpacked, packed = sizes.get(key, (0, 0))
            sizes[key] = (unpacked + entry.file_size, packed + entry.compress_size)
    return sizes


def move_into_place(archive: Path, target: Path) -> None:
    """Put a finished zip where it was asked for."""
    partial = target.with_name(f".{target.name}.part")
    shutil.copy(archive, partial)
    partial.replace(target)
