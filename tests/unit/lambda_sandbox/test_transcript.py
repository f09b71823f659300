"""The transcript and the captured output."""

from __future__ import annotations

import asyncio

from lambda_sandbox import Output, Transcript


async def test_wait_for_counts_what_was_before() -> None:
    """`wait_for` sees entries of the past and of the future, and checks details."""
    transcript = Transcript()
    transcript.record("client", "invoke", request_id="1")
    waiting = asyncio.create_task(transcript.wait_for("invoke", count=2))
    await asyncio.sleep(0)
    assert not waiting.done()
    transcript.record("client", "invoke", request_id="2")
    assert (await waiting).details["request_id"] == "2"
    assert len(transcript.select("invoke", request_id="1")) == 1
    assert transcript.select("invoke", actor="runtime") == []
    assert [entry.event for entry in transcript] == ["invoke", "invoke"]


def test_the_newest_of_several_is_found() -> None:
    """By the same values as `select`; None where nothing matches."""
    transcript = Transcript()
    for number in ("1", "2", "1"):
        transcript.record("client", "invoke", request_id=number)
        transcript.record("runtime", "next")
    for wanted in ({"request_id": "1"}, {"request_id": "2"}, {}):
        assert transcript.find_last("invoke", **wanted) is transcript.select("invoke", **wanted)[-1]
    assert transcript.find_last("next", actor="runtime") is list(transcript)[-1]
    assert transcript.find_last("invoke", actor="runtime") is None


def test_entries_are_for_people_too() -> None:
    """One line an entry: time, actor, event, details."""
    transcript = Transcript()
    transcript.record("runtime", "exit", status="exit status 1")
    assert str(transcript).split()[1:] == ["runtime", "exit", "status=exit", "status", "1"]
    assert len(transcript) == 1


async def test_output_by_process() -> None:
    """Lines are kept by process, with their stream."""
    output = Output(Transcript())
    waiting = asyncio.create_task(output.wait_for("runtime", "lo"))
    output.add("runtime", "stdout", "hello")
    output.add("runtime", "stderr", "oops")
    assert (await waiting).text == "hello"
    assert output.text("runtime") == "hello\noops"
    assert [line.stream for line in output["runtime"]] == ["stdout", "stderr"]
    assert list(output) == ["runtime"]
    assert output["nobody"] == ()
