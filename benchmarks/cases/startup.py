"""From exec to the answer of the registration: the launcher against a no-op in bash, and Python.

Lambda starts the runtime only after every extension has registered, so this is the one part of a
start that no cold start can hide. Each way registers with a little server of its own.
"""

import sys
import tempfile
from pathlib import Path

from benchmarks.frame import Plan, Results, Series
from benchmarks.local_lambda import NOOP
from deploy.layer.startup import BARE_PYTHON, measure
from deploy.stage import NAME, find_launcher

RUNS = (20, 100)

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
SERIES = Series(case="startup", unit="ms", relation="ratio", baseline="no-op", least_change=0.05)
OF_PYTHON = Series(
    case="startup_of_python",
    unit="ms",
    relation="ratio",
    baseline="bare Python",
    least_change=0.02,
)


def run(plan: Plan, results: Results) -> None:
    """Measure all ways, interleaved."""
    with tempfile.TemporaryDirectory() as empty:
        # With no Python beside it, the launcher registers and goes no further.
        launcher = Path(empty, "extensions", NAME)
        launcher.parent.mkdir()
        launcher.write_bytes(find_launcher().read_bytes())
        launcher.chmod(0o755)
        python = str(Path(sys.base_prefix, "bin", "python3"))
        times = measure(
            {
                "no-op": [str(NOOP)],
                "launcher": [str(launcher)],
                "bare Python": [python, "-I", "-c", BARE_PYTHON],
                "raw socket": [python, "-I", "-S", "-c", RAW_PYTHON],
            },
            plan.rounds(*RUNS),
        )
    for name, values in times.items():
        results.add(SERIES, name, *values)
    for name in ("bare Python", "launcher"):
        results.add(OF_PYTHON, name, *times[name])
