"""CPU and memory that the extension's imports take, by what its collector needs.

Each way in a process of its own, as the launcher starts one (`-I -S`), in turn with the others;
medians. With `--beside` the same of another checkout, for before and after.

    python benchmarks/importing.py [--rounds 9] [--beside CHECKOUT]
"""

import argparse
import os
import statistics
import subprocess
import sys
import sysconfig
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]

PROGRAM = """
import sys
sys.path[:0] = sys.argv[1:]
{}
import os, resource
usage = resource.getrusage(resource.RUSAGE_SELF)
print((usage.ru_utime + usage.ru_stime) * 1000, usage.ru_maxrss / 1024, flush=True)
os._exit(0)
"""

TARGET = """
import logger_extension.app
from logger_extension.config import Config
from logger_extension.exporters.protocols import open_exporter
settings = {{"OTEL_EXPORTER_OTLP_ENDPOINT": "{}"}}
config = Config.from_env(settings, telemetry_port=1, processors=2, memory_limit_bytes=None)
open_exporter(config.export.logs)
"""

WAYS: Mapping[str, str] = {
    "python": "",
    "asyncio": "import asyncio",
    "without an exporter": "import logger_extension.app",
    "http://": TARGET.format("http://collector.example:4318"),
    "https://": TARGET.format("https://collector.example:4318"),
}


def run_once(root: Path, way: str) -> tuple[float, float]:
    """Return milliseconds of CPU and mebibytes of one process."""
    # The real one: that of a venv reads its configuration first.
    python = os.path.realpath(sys.executable)
    words = [str(root), sysconfig.get_path("purelib")]
    command = [python, "-I", "-S", "-c", PROGRAM.format(way), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    cpu_ms, memory_mib = map(float, done.stdout.split())
    return cpu_ms, memory_mib


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9, help="of each way (default 9)")
    parser.add_argument("--beside", type=Path, help="another checkout")
    arguments = parser.parse_args()
    roots = [root.resolve() for root in (arguments.beside, REPOSITORY) if root]
    found: defaultdict[tuple[Path, str], list[tuple[float, float]]] = defaultdict(list)
    for _ in range(arguments.rounds):
        for name, way in WAYS.items():
            for root in roots:
                found[root, name].append(run_once(root, way))
    for name in WAYS:
        for root in roots:
            cpu_ms, memory_mib = map(statistics.median, zip(*found[root, name], strict=True))
            print(f"{name:<22}{cpu_ms:>8.1f} ms{memory_mib:>8.1f} MiB  {root}")


if __name__ == "__main__":
    main()
