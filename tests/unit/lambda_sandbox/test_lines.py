"""Cutting output into lines."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from lambda_sandbox.lines import MAX_LINE_BYTES, LineSplitter, PipeReader


@given(st.binary(), st.lists(st.integers(0, 40)))
def test_chunks_do_not_matter(data: bytes, cuts: list[int]) -> None:
    """However the bytes arrive, the lines are the same."""
    splitter = LineSplitter()
    lines: list[str] = []
    position = 0
    for cut in [*cuts, len(data)]:
        lines += splitter.feed(data[position : position + cut])
        position += cut
    lines += splitter.finish()
    *whole, rest = data.split(b"\n")
    expected = [*whole, rest] if rest else whole
    assert lines == [line.decode(errors="replace") for line in expected]


def test_endless_line_comes_in_pieces() -> None:
    """A line without an end does not grow without a bound, and no byte of it is lost."""
    splitter = LineSplitter()
    pieces = splitter.feed(b"x" * (MAX_LINE_BYTES + 5)) + splitter.feed(b"y\n")
    assert "".join(pieces) == "x" * (MAX_LINE_BYTES + 5) + "y"


async def test_pipe_is_drained_on_demand() -> None:
    """`drain` reads what is there without waiting for the loop; `close` gives the rest."""
    lines: list[str] = []
    reader = PipeReader(lines.append)
    os.write(reader.child_fd, b"one\ntwo\nrest")
    reader.drain()
    assert lines == ["one", "two"]
    reader.close()
    assert lines == ["one", "two", "rest"]
    reader.close()
    os.close(reader.child_fd)


async def test_drain_ends_although_the_child_goes_on() -> None:
    """Somebody who refills the pipe at every read does not hold `drain` for ever."""
    refills: list[str] = []

    def refill(line: str) -> None:
        refills.append(line)
        os.write(reader.child_fd, b"more\n")

    reader = PipeReader(refill)
    os.write(reader.child_fd, b"first\n")
    reader.drain()
    assert 1 < len(refills) < 100
    os.close(reader.child_fd)
    reader._on_line = refills.append
    reader.close()
