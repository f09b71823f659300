"""Compiled files without what only debuggers read: some wheels carry more of it than of code.

Owns the cut. Works for any architecture, which `strip` of a build machine does not. Must not know
which files are worth it. Layout: https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html
"""

import struct
from io import BytesIO

from elftools.elf.elffile import ELFFile

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")  # Elf64_Ehdr
_SECTION = struct.Struct("<IIQQQQIIQQ")  # Elf64_Shdr
_SHF_ALLOC = 0x2
_SHT_NOBITS = 8
_NAMES = b".shstrtab"
_SHT_STRTAB = 3
_ALIGNMENT = 8


def cut_debug_information(content: bytes) -> bytes:
    """Return a 64-bit ELF file with the sections that are loaded, and no others.

    What the kernel and the loader read stays as it is, byte for byte. A file that is laid out
    otherwise than linkers do (loaded sections first, all others behind them) is returned unchanged.
    """
    elf = ELFFile(BytesIO(content))
    if elf.elfclass != 64 or not elf.little_endian:  # noqa: PLR2004 - bits
        return content
    headers = [_read_section(content, elf, index) for index in range(elf.num_sections())]
    # The first entry of the table is always empty; it stays.
    loaded = [n == 0 or bool(header[2] & _SHF_ALLOC) for n, header in enumerate(headers)]
    count = loaded.index(False) if False in loaded else len(loaded)
    end = max((part["p_offset"] + part["p_filesz"] for part in elf.iter_segments()), default=0)
    behind = [header[4] for header in headers[count:] if header[1] != _SHT_NOBITS and header[5]]
    if any(loaded[count:]) or min(behind, default=0) < end:
        return content
    return _write(content[:end], content, elf, headers[:count])


def _read_section(content: bytes, elf: ELFFile, index: int) -> tuple[int, ...]:
    start = elf["e_shoff"] + index * elf["e_shentsize"]
    return _SECTION.unpack_from(content, start)


def _write(body: bytes, content: bytes, elf: ELFFile, headers: list[tuple[int, ...]]) -> bytes:
    """Return the file with a new table of sections behind the body."""
    names = b"\0"
    table = bytearray(_SECTION.size)  # the empty entry
    for index, header in enumerate(headers[1:], 1):
        table += _SECTION.pack(len(names), *header[1:])
        names += elf.get_section(index).name.encode() + b"\0"
    own_name = len(names)
    names += _NAMES + b"\0"
    table += _SECTION.pack(own_name, _SHT_STRTAB, 0, 0, len(body), len(names), 0, 0, 1, 0)
    padding = bytes(-(len(body) + len(names)) % _ALIGNMENT)
    start = len(body) + len(names) + len(padding)
    head = list(_HEADER.unpack_from(content))
    head[6], head[12], head[13] = start, len(headers) + 1, len(headers)  # shoff, shnum, shstrndx
    return _HEADER.pack(*head) + body[_HEADER.size :] + names + padding + bytes(table)
