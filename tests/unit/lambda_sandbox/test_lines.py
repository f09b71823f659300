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
    expected = data.decode(errors="replace") if not data else None
    if expected is None:
        parts = data.split(b"\n")
        parts = parts if parts[-1] else parts[:-1]
        assert lines == [part.decode(errors="replace") for part in parts]
    else:
        assert lines == []


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
