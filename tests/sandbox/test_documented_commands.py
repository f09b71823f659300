"""Every command that docs/cost.md and docs/view.md show works as it stands there."""

import asyncio
import re
import shlex
import signal
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from logger_extension_cli.__main__ import main
from otlp_viewer import Collector
from otlp_viewer.database import Database
from tests.support.clickhouse_front import PASSWORD, ClickHouseFront
from tests.support.command_line import COMMAND, REPOSITORY, command_environment
from tests.support.telemetry_lines import write_story
from tests.support.telemetry_story import Story, make_story

PAGES = ("docs/cost.md", "docs/view.md")
NANOS_PER_DAY = 86_400 * 10**9
CLICKHOUSE = "clickhouse.example.com:8123"
ENDPOINT = "http://127.0.0.1:4319"


def find_commands() -> list[str]:
    """Return the lines after a prompt, each once."""
    text = "".join((REPOSITORY / page).read_text() for page in PAGES)
    blocks = re.findall(r"```console\n(.*?)```", text.replace("\\\n", " "), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert all(line.startswith("$ ") for line in lines)
    return list(dict.fromkeys(line.removeprefix("$ ") for line in lines))


COMMANDS = find_commands()
INSTALLED = [each for each in COMMANDS if each.startswith("pip install ")]
ENDLESS = [each for each in COMMANDS if re.match("logger-extension (view|demo --web)", each)]
COSTS = [each for each in COMMANDS if each.startswith("logger-extension cost ")]
OTHERS = [each for each in COMMANDS if each not in (*INSTALLED, *ENDLESS, *COSTS)]


@pytest.fixture(scope="module")
def clickhouse() -> Iterator[ClickHouseFront]:
    """A ClickHouse with the story."""
    story = make_recent_story()
    with ClickHouseFront() as front:
        front.add_spans(story.spans)
        front.add_metrics(story.metrics)
        yield front


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the commands are typed: with a store, a folder of lines, and the examples."""
    folder = tmp_path_factory.mktemp("here")
    story = make_recent_story()
    with Database(folder / "store.duckdb") as database:
        database.add_spans(story.spans)
        database.add_metrics(story.metrics)
    write_story(story, folder / "telemetry")
    (folder / "examples").symlink_to(REPOSITORY / "examples")
    return folder


def make_recent_story() -> Story:
    """Return a story of the last days."""
    return make_story(
        invocations=1_500, start_unix_nano=time.time_ns() - 4 * NANOS_PER_DAY, days=3.0
    )


async def start(words: list[str], folder: Path) -> asyncio.subprocess.Process:
    """Start a command in the folder."""
    return await asyncio.create_subprocess_exec(
        *(*COMMAND, *words),
        cwd=folder,
        env=command_environment() | {"PYTHONPATH": str(REPOSITORY)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.mark.parametrize("command", COSTS)
def test_a_question(
    command: str,
    folder: Path,
    clickhouse: ClickHouseFront,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Answered, with exit code 0 and something on stdout alone."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("CLICKHOUSE_PASSWORD", PASSWORD)
    words = shlex.split(command.replace(CLICKHOUSE, clickhouse.address))
    assert main(words[1:]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out


@pytest.mark.parametrize("command", OTHERS)
async def test_a_command_that_ends(command: str, folder: Path) -> None:
    """The same, as a process."""
    async with Collector() as collector:
        line = command.replace(ENDPOINT, collector.endpoint)
        process = await start(shlex.split(line)[1:], folder)
        output, errors = await process.communicate()
    assert (process.returncode, errors.decode()) == (0, "")
    assert output


@pytest.mark.parametrize("command", ENDLESS)
async def test_a_command_that_goes_on(command: str, tmp_path: Path) -> None:
    """It says where its page is, and Ctrl-C ends it with exit code 0."""
    process = await start([*shlex.split(command)[1:], "--port", "0"], tmp_path)
    try:
        assert process.stdout is not None
        await process.stdout.readuntil(b"The page: http://127.0.0.1:")
        await process.stdout.readuntil(b"Ctrl-C ends it.")
        process.send_signal(signal.SIGINT)
        _, errors = await process.communicate()
        assert (process.returncode, errors.decode()) == (0, "")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def test_the_extras_are_there() -> None:
    """What is to be installed can be."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    named = {re.search(r"\[(\w+)\]", command)[1] for command in INSTALLED}  # type: ignore[index]
    assert named <= set(project["optional-dependencies"])
    assert named == {"cost", "web"}
