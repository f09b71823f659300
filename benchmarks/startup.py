"""From exec to the answer of the registration: the launcher against bare Python, in one run.

    make bench-startup

Lambda starts the runtime only after every extension has registered, so this is the one part of a
start that no cold start can hide. Each way registers with the same little server; runs are
interleaved and the median is taken. Exits 1 when a bound is missed (after three attempts: the
machine may be noisy).
"""

import argparse
import os
import signal
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deploy.stage import find_launcher

MOST_MS = 5.0
MOST_SHARE_OF_PYTHON = 0.25

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

# The least that Python can do: no site, no library, one raw socket.
RAW_PYTHON = """
import _socket, posix
host, _, port = posix.environ[b"AWS_LAMBDA_RUNTIME_API"].decode().partition(":")
connection = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
connection.connect((host, int(port)))
body = b'{"events":["INVOKE","SHUTDOWN"]}'
connection.sendall(
    b"POST /2020-01-01/extension/register HTTP/1.1\\r\\nHost: lambda\\r\\n"
    b"Lambda-Extension-Name: raw\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body
)
connection.recv(4096)
"""


def measure_once(server: socket.socket, command: list[str], environ: Mapping[str, str]) -> float:
    """Start a command; return the milliseconds until its registration has been answered."""
    start_s = time.perf_counter()
    pid = os.posix_spawn(command[0], command, environ, setpgroup=0)
    connection, _ = server.accept()
    with connection:
        request = b""
        while b'"SHUTDOWN"]}' not in request:
            request += connection.recv(65_536)
        connection.sendall(ANSWER)
        elapsed_ms = (time.perf_counter() - start_s) * 1000
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return elapsed_ms


def measure(runs: int) -> dict[str, list[float]]:
    """Return the times of each way, interleaved."""
    with (
        tempfile.TemporaryDirectory() as empty,
        socket.create_server(("127.0.0.1", 0)) as server,
    ):
        extensions = Path(empty, "extensions")
        extensions.mkdir()
        launcher = extensions / "logger-extension"
        launcher.write_bytes(find_launcher().read_bytes())
        launcher.chmod(0o755)
        environ = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.getsockname()[1]}",
            "PATH": "/usr/bin:/bin",
        }
        python = str(Path(sys.base_prefix, "bin", "python3"))
        commands = {
            "launcher": [str(launcher)],
            "bare Python": [python, "-I", "-c", BARE_PYTHON],
            "raw socket": [python, "-I", "-S", "-c", RAW_PYTHON],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(runs + 1):
            for name, command in commands.items():
                times[name].append(measure_once(server, command, environ))
    # The first round warms the disk's cache.
    return {name: values[1:] for name, values in times.items()}


def print_table(times: Mapping[str, Sequence[float]], write: Callable[[str], None]) -> None:
    """Write medians, spread and the ratio to bare Python."""
    base_ms = statistics.median(times["bare Python"])
    write(f"{'exec to register answered':<26}{'median':>10}{'min':>9}{'max':>9}{'ratio':>8}")
    for name, values in times.items():
        median_ms = statistics.median(values)
        write(
            f"{name:<26}{median_ms:>7.2f} ms{min(values):>6.2f} ms{max(values):>6.2f} ms"
            f"{median_ms / base_ms:>8.2f}"
        )


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=20, help="repetitions of each way (default 20)")
    runs = parser.parse_args().runs
    for attempt in range(1, 4):
        times = measure(runs)
        print_table(times, print)
        launcher_ms = statistics.median(times["launcher"])
        share = launcher_ms / statistics.median(times["bare Python"])
        if launcher_ms <= MOST_MS and share <= MOST_SHARE_OF_PYTHON:
            print(f"ok: at most {MOST_MS} ms, at most {MOST_SHARE_OF_PYTHON} of bare Python")
            return 0
        print(
            f"attempt {attempt}: {launcher_ms:.2f} ms, {share:.2f} of bare Python: over the bound"
        )
    return 1


if __name__ == "__main__":
    sys.exit(main())
