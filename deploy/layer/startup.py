"""The launcher of an unpacked layer, from exec to the answer of its registration.

Lambda starts the runtime only after every extension has registered, so this is the one part of a
start that no cold start can hide. Owns how it is measured and its bounds, absolute and against bare
Python in the same run. Must not know how a layer is built.
"""

import os
import platform
import signal
import socket
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.layer.commands import run
from deploy.layer.errors import LayerError
from deploy.layer.target import Target
from deploy.stage import NAME

ANSWER_BODY = b'{"functionName":"f","functionVersion":"$LATEST","handler":"app.handler"}\n'
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    b"Lambda-Extension-Identifier: 8f7d1c9e-0d6f-4c7e-9a43-2f1b6a0c5d11\r\n"
    b"Content-Length: %d\r\n\r\n" % len(ANSWER_BODY)
) + ANSWER_BODY

# What a Python extension does that takes some care already: no HTTP library.
BARE_PYTHON = """
import json, os, socket
host, _, port = os.environ["AWS_LAMBDA_RUNTIME_API"].partition(":")
connection = socket.create_connection((host, int(port)))
body = json.dumps({"events": ["INVOKE", "SHUTDOWN"]}, separators=(",", ":")).encode()
connection.sendall(
    b"POST /2020-01-01/extension/register HTTP/1.1\\r\\nHost: lambda\\r\\n"
    b"Lambda-Extension-Name: bare\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body
)
json.loads(connection.recv(4096).partition(b"\\r\\n\\r\\n")[2])
"""


# Far more than any start takes.
PATIENCE_S = 20


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that a start may take: in milliseconds, and of bare Python's time."""

    most_ms: float = 5.0
    most_share: float = 0.25

    def hold(self, launcher_ms: float, bare_ms: float) -> bool:
        """Return whether medians of one run keep both."""
        return launcher_ms <= self.most_ms and launcher_ms / bare_ms <= self.most_share


@dataclass(frozen=True, slots=True)
class Startup:
    """Medians of one run."""

    launcher_ms: float
    bare_python_ms: float


def measure_once(command: Sequence[str]) -> float:
    """Start a command; return the milliseconds until its registration has been answered.

    Raises:
        LayerError: it did not register.
    """
    # A server for each: what the one before asked for just before its end came to its own.
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_S)
        environ = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.getsockname()[1]}",
            "PATH": "/usr/bin:/bin",
        }
        start_s = time.perf_counter()
        # What the launcher says without a Python beside it is of no interest here.
        silence = (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)
        pid = os.posix_spawn(
            command[0], list(command), environ, setpgroup=0, file_actions=[silence]
        )
        try:
            _answer_registration(server)
            return (time.perf_counter() - start_s) * 1000
        except TimeoutError as error:
            raise LayerError(f"{command[0]} did not register in {PATIENCE_S} s") from error
        finally:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _answer_registration(server: socket.socket) -> None:
    connection, _ = server.accept()
    connection.settimeout(PATIENCE_S)
    with connection:
        request = b""
        while b'"SHUTDOWN"]}' not in request:
            if not (more := connection.recv(65_536)):
                raise TimeoutError
            request += more
        connection.sendall(ANSWER)


def measure(commands: Mapping[str, Sequence[str]], runs: int) -> dict[str, list[float]]:
    """Return the milliseconds of each command, interleaved; the first round warms the disk."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs + 1):
        for name, command in commands.items():
            times[name].append(measure_once(command))
    return {name: values[1:] for name, values in times.items()}


def check_startup(root: Path, bounds: Bounds, *, runs: int = 11, attempts: int = 3) -> Startup:
    """Start the launcher of an unpacked layer; return the medians.

    Args:
        root: stands for /opt.
        bounds: what must hold.
        runs: repetitions of each way.
        attempts: how often it may be over the bounds: the machine may be busy with other things.

    Raises:
        LayerError: it was over the bounds in each attempt.
    """
    base = f"python{sys.version_info.major}.{sys.version_info.minor}"
    commands = {
        "launcher": [str(root / "extensions" / NAME)],
        "bare": [str(Path(sys.base_prefix, "bin", base)), "-I", "-c", BARE_PYTHON],
    }
    missed = []
    for _ in range(attempts):
        times = measure(commands, runs)
        found = Startup(statistics.median(times["launcher"]), statistics.median(times["bare"]))
        if bounds.hold(found.launcher_ms, found.bare_python_ms):
            return found
        missed.append(f"{found.launcher_ms:.1f} ms (bare Python {found.bare_python_ms:.1f} ms)")
    raise LayerError(
        f"the launcher took {', '.join(missed)} to register: at most {bounds.most_ms} ms and"
        f" {bounds.most_share} of bare Python's time are allowed (on a busy machine, try again)"
    )


# As the launcher starts Python, up to the point where the extension would run; with what is
# imported only where it is asked for.
IMPORTS = """
import sys
sys.path[:0] = sys.argv[1:3]
import logger_extension.__main__, logger_extension.app
for extra in sys.argv[3:]:
    __import__(extra)
"""
EXTRA_MODULES = {
    "grpc": ("logger_extension.exporters.otlp_grpc", "logger_extension.receivers.otlp_grpc"),
    "aws": ("logger_extension.exporters.signing", "logger_extension.aws.secret_store"),
}


def check_imports(target: Target, root: Path, python: Path) -> None:
    """Import the extension from an unpacked layer, with a Python of the version that it is for.

    Does nothing where this machine cannot run what the layer holds.

    Args:
        target: the layer.
        root: stands for /opt.
        python: an interpreter of that version on this machine.

    Raises:
        LayerError: something is missing.
    """
    if sys.platform != "linux" or platform.machine() != target.machine:
        return
    home = root / NAME
    own = home / "bin" / "python3"
    environ = {"LD_LIBRARY_PATH": str(home / "lib")} if own.exists() else {}
    modules = [name for extra in target.extras for name in EXTRA_MODULES[extra]]
    chosen = own if own.exists() else python
    run(
        [chosen, "-I", "-S", "-c", IMPORTS, home, home / "site-packages", *modules],
        environ=environ,
    )
