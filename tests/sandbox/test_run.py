"""`logger-extension run` with handlers, extensions and collectors of one's own."""

import asyncio
import os
import re
import signal
import sys
import uuid
from pathlib import Path

import pytest

from otlp_viewer import Collector
from tests.support.command_line import COMMAND, command_environment, processes_with, run_command

_HANDLER = """
import os, sys

def handler(event, context):
    print("memory", os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], os.environ.get("COLOUR"))
    return {"got": event}

def crash(event, context):
    print("last words", flush=True)
    os._exit(3)

def hang(event, context):
    open(os.environ["STARTED"], "w").close()
    import time
    time.sleep(60)
"""

# An external extension that does nothing: register, then next until SHUTDOWN.
_EXTENSION = """\
#!{python}
import json, os, urllib.request
api = f"http://{{os.environ['AWS_LAMBDA_RUNTIME_API']}}/2020-01-01/extension"
name = os.path.basename(__file__)
body = json.dumps({{"events": ["INVOKE", "SHUTDOWN"]}}).encode()
headers = {{"Lambda-Extension-Name": name}}
with urllib.request.urlopen(
    urllib.request.Request(f"{{api}}/register", body, headers)
) as answer:
    identifier = answer.headers["Lambda-Extension-Identifier"]
print("registered", flush=True)
headers = {{"Lambda-Extension-Identifier": identifier}}
while True:
    request = urllib.request.Request(f"{{api}}/event/next", headers=headers)
    with urllib.request.urlopen(request) as answer:
        if json.load(answer)["eventType"] == "SHUTDOWN":
            break
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """Return a file with handlers."""
    file = tmp_path / "task" / "app.py"
    file.parent.mkdir()
    file.write_text(_HANDLER)
    return file


def test_a_handler_of_ones_own_is_run_and_shown(app: Path, tmp_path: Path) -> None:
    """With its event, its memory size and its variables."""
    event = tmp_path / "event.json"
    event.write_text('{"n": 7}')
    done = run_command(
        *("run", f"{app}:handler", "--event", event, "--invocations", "3"),
        *("--memory", "2048", "--env", "COLOUR=blue", "--freeze-ms", "10"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(re.findall(r'success +\S+ ms +{"got": {"n": 7}}', done.stdout)) == 3
    assert len(re.findall(r"…[0-9a-f]{7} memory 2048 blue", done.stdout)) == 3
    assert re.search(r"sandbox-\S* +ok ", done.stdout)
    assert "Everything that was done and printed has arrived, once." in done.stdout


def test_a_failed_invocation_has_its_own_exit_code(app: Path) -> None:
    """What the crashing function printed last has arrived all the same."""
    done = run_command("run", f"{app}:crash")
    assert (done.returncode, done.stderr) == (3, "")
    assert "last words" in done.stdout
    assert "Runtime.Ex" in done.stdout
    assert "Everything that was done and printed has arrived, once." in done.stdout


def test_missing_telemetry_is_named(app: Path) -> None:
    """Here because the user switched logs off."""
    done = run_command("run", f"{app}:handler", "--env", "OTEL_LOGS_EXPORTER=none")
    assert (done.returncode, done.stderr) == (1, "")
    expected = "Missing: 1 x a line was printed and did not arrive: memory 128 None"
    assert expected in done.stdout


@pytest.mark.parametrize(
    ("function", "content", "complaint"),
    [
        ("absent", _HANDLER, "Runtime.HandlerNotFound: Handler 'absent' missing on module 'app'"),
        ("handler", "def handler(:", "Runtime.UserCodeSyntaxError: "),
        ("handler", "import absent_module", "Runtime.ImportModuleError: "),
    ],
)
def test_a_handler_that_cannot_be_found_is_one_line(
    app: Path, function: str, content: str, complaint: str
) -> None:
    """On stderr, with exit code 2, in the words of AWS's runtime."""
    app.write_text(content)
    done = run_command("run", f"{app}:{function}")
    assert done.returncode == 2
    assert done.stderr.startswith(f"logger-extension run: app.{function}: {complaint}")
    assert "Traceback" not in done.stderr


def test_a_folder_of_extensions_replaces_ours(app: Path, tmp_path: Path) -> None:
    """Exactly what is in it is started; what it ought to send is not ours to judge."""
    folder = tmp_path / "extensions"
    folder.mkdir()
    extension = folder / "idle"
    extension.write_text(_EXTENSION.format(python=sys.executable))
    extension.chmod(0o755)
    done = run_command("run", f"{app}:handler", "--extensions", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "No span of an invocation arrived." in done.stdout
    assert "idle: registered" in done.stdout
    assert "Missing" not in done.stdout


def test_a_folder_that_is_not_there_is_refused(app: Path, tmp_path: Path) -> None:
    """In one line."""
    done = run_command("run", f"{app}:handler", "--extensions", tmp_path / "none")
    assert done.returncode == 2
    assert "extensions must be a folder" in done.stderr
    assert done.stderr.count("\n") == 1


async def test_the_collector_may_be_another(app: Path) -> None:
    """Then nothing is shown here, because it is there."""
    async with Collector() as collector:
        done = await asyncio.to_thread(
            run_command, "run", f"{app}:handler", "--endpoint", collector.endpoint
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert f"The telemetry went to {collector.endpoint}." in done.stdout
        assert [row.body for row in collector.store.logs] == ["memory 128 None"]
        assert len(collector.store.invocations()) == 1


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_an_interrupted_run_leaves_nothing_behind(
    app: Path, tmp_path: Path, number: signal.Signals, exit_code: int
) -> None:
    """No traceback and no process, though the handler was in the middle of its work."""
    started = tmp_path / "started"
    os.mkfifo(started)
    marker = f"MARKER={uuid.uuid4()}"
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "run", f"{app}:hang", "--timeout-ms", "60000"),
        *("--env", f"STARTED={started}", "--env", marker),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=command_environment(),
    )
    await asyncio.to_thread(started.read_bytes)  # until the handler opens and closes it
    assert processes_with(marker)
    process.send_signal(number)
    _, errors = await process.communicate()
    assert (process.returncode, errors) == (exit_code, b"")
    assert processes_with(marker) == []
