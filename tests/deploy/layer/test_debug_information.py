"""Debug information cut off: what the loader reads stays the same, byte for byte."""

import struct
import sysconfig
from io import BytesIO
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from deploy.layer.debug_information import cut_debug_information
from deploy.layer.elf import find_binaries, read_binary

SITE_PACKAGES = Path(sysconfig.get_path("purelib"))
BINARIES = [
    path for name in ("aiohttp", "orjson", "google") for path in find_binaries(SITE_PACKAGES / name)
]


@pytest.mark.parametrize("path", BINARIES, ids=lambda path: path.name)
def test_what_is_loaded_stays(path: Path, tmp_path: Path) -> None:
    """Segments, needs and versions are those of the original; a second cut changes nothing."""
    content = path.read_bytes()
    cut = cut_debug_information(content)
    (tmp_path / "cut.so").write_bytes(cut)
    assert read_binary(tmp_path / "cut.so") == read_binary(path)
    before, after = ELFFile(BytesIO(content)), ELFFile(BytesIO(cut))
    for one, other in zip(before.iter_segments(), after.iter_segments(), strict=True):
        assert one.header == other.header
        if one["p_offset"]:  # the first begins with the header, which tells where the rest is
            assert one.data() == other.data()
    assert cut_debug_information(cut) == cut
    names = {section.name for section in after.iter_sections()}
    assert not {name for name in names if name.startswith((".debug", ".symtab"))}
    assert {".dynamic", ".dynsym", ".text", ".shstrtab"} <= names


def test_it_is_worth_it() -> None:
    """At least one of the wheels carries more debug information than code."""
    shares = [len(cut_debug_information(p.read_bytes())) / p.stat().st_size for p in BINARIES]
    assert min(shares) < 0.5


def test_an_unusual_layout_stays_as_it_is() -> None:
    """Where loaded sections stand behind others, nothing is cut."""
    content = bytearray(BINARIES[0].read_bytes())
    elf = ELFFile(BytesIO(bytes(content)))
    last = elf["e_shoff"] + (elf.num_sections() - 1) * elf["e_shentsize"]
    struct.pack_into("<Q", content, last + 8, 0x2)  # SHF_ALLOC
    assert cut_debug_information(bytes(content)) == bytes(content)
