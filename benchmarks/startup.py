"""From exec to the answer of the registration: the launcher against bare Python, in one run.

    make bench-startup

Lambda starts the runtime only after every extension has registered, so this is the one part of a
start that no cold start can hide. Each way registers with the same little server; runs are
interleaved and the median is taken. Exits 1 when a bound is missed (after three attempts: the
machine may be noisy).
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deploy.layer.startup import BARE_PYTHON, Bounds, measure
from deploy.stage import find_launcher

BOUNDS = Bounds()

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


def measure_ways(runs: int) -> dict[str, list[float]]:
    """Return the times of each way, interleaved."""
    with tempfile.TemporaryDirectory() as empty:
        # With no Python beside it, the launcher registers and goes no further.
        launcher = Path(empty, "extensions", "logger-extension")
        launcher.parent.mkdir()
        launcher.write_bytes(find_launcher().read_bytes())
        launcher.chmod(0o755)
        python = str(Path(sys.base_prefix, "bin", "python3"))
        return measure(
            {
                "launcher": [str(launcher)],
                "bare Python": [python, "-I", "-c", BARE_PYTHON],
                "raw socket": [python, "-I", "-S", "-c", RAW_PYTHON],
            },
            runs,
        )


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
        times = measure_ways(runs)
        print_table(times, print)
        launcher_ms = statistics.median(times["launcher"])
        bare_ms = statistics.median(times["bare Python"])
        if BOUNDS.hold(launcher_ms, bare_ms):
            print(f"ok: at most {BOUNDS.most_ms} ms, at most {BOUNDS.most_share} of bare Python")
            return 0
        print(
            f"attempt {attempt}: {launcher_ms:.2f} ms, {launcher_ms / bare_ms:.2f} of bare Python:"
            " over the bound"
        )
    return 1


if __name__ == "__main__":
    sys.exit(main())
