"""What compiled files say about themselves: machine, libraries, version of the C library.

Owns which libraries every Linux that Lambda runs has. Must not know what is done about the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

MAGIC = b"\x7fELF"

MACHINES = {"EM_X86_64": "x86_64", "EM_AARCH64": "arm64"}

# What glibc brings itself, and the compiler's own library that all images of Lambda have.
ALWAYS_THERE = (
    *("ld-linux", "libc.so", "libm.so", "libpthread.so", "libdl.so", "librt.so"),
    *("libutil.so", "libresolv.so", "libgcc_s.so", "libstdc++.so", "linux-vdso"),
)

_GLIBC = "GLIBC_"


@dataclass(frozen=True, slots=True)
class Binary:
    """A compiled file.

    Attributes:
        architecture: as Lambda names it; else the format's own name for the machine.
        needs: libraries, by the names that the loader looks for.
        glibc: the least version of glibc that it runs with, such as (2, 17).
    """

    architecture: str
    needs: tuple[str, ...]
    glibc: tuple[int, ...]


def is_elf(path: Path) -> bool:
    """Return whether a file begins as compiled files do."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def find_binaries(folder: Path) -> list[Path]:
    """Return the compiled files below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path for path in files if is_elf(path)]


def read_binary(path: Path) -> Binary:
    """Return what a compiled file says.

    Raises:
        ValueError: it is damaged.
    """
    try:
        with path.open("rb") as file:
            elf = ELFFile(file)
            machine = elf.header["e_machine"]
            return Binary(
                architecture=MACHINES.get(machine, str(machine)),
                needs=tuple(_read_needs(elf)),
                glibc=max(_read_versions(elf), default=()),
            )
    except (ELFError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name} is damaged: {error}") from error


def lacks(binary: Binary, present: frozenset[str]) -> list[str]:
    """Return the libraries that neither Lambda's images nor `present` have."""
    return [
        name for name in binary.needs if name not in present and not name.startswith(ALWAYS_THERE)
    ]


def _read_needs(elf: ELFFile) -> Iterator[str]:
    for section in elf.iter_sections():
        if isinstance(section, DynamicSection):
            for tag in section.iter_tags("DT_NEEDED"):
                yield str(tag.needed)  # type: ignore[attr-defined]  # named after the tag


def _read_versions(elf: ELFFile) -> Iterator[tuple[int, ...]]:
    for section in elf.iter_sections():
        if isinstance(section, GNUVerNeedSection):
            for _, versions in section.iter_versions():
                for version in versions:
                    if version.name.startswith(_GLIBC) and version.name[len(_GLIBC)].isdigit():
                        yield tuple(int(part) for part in version.name[len(_GLIBC) :].split("."))
