"""CPU and memory that the extension's imports take, by what its collector needs.

    imports_cpu     milliseconds of CPU of a whole process, against one that imports asyncio alone
    imports_memory  its peak in MB of 1,048,576 bytes, against the same

Each way is a process of its own, as the launcher starts one (`-I -S`). asyncio is the baseline
because no extension in Python that speaks to two sides at once does with less.
"""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping

from benchmarks.frame import Plan, Results, Series
from deploy.stage import REPOSITORY

ROUNDS = (15, 60)
BASE = "asyncio"

PROGRAM = """
import sys
sys.path[:0] = sys.argv[1:]
{}
import os, resource
usage = resource.getrusage(resource.RUSAGE_SELF)
# Not ru_maxrss: that is the parent's, if it was larger before exec.
peak_kb = open("/proc/self/status").read().split("VmHWM:")[1].split()[0]
print((usage.ru_utime + usage.ru_stime) * 1000, int(peak_kb) / 1024, flush=True)
os._exit(0)
"""

# As the start does it: no garbage is looked for.
TARGET = """
import gc
gc.disable()
import logger_extension.app
from logger_extension.config import Config
from logger_extension.exporters.protocols import open_exporter
settings = {{"OTEL_EXPORTER_OTLP_ENDPOINT": "{}", "OTEL_EXPORTER_OTLP_PROTOCOL": "{}"}}
config = Config.from_env(settings, telemetry_port=1, processors=2, memory_limit_bytes=None)
open_exporter(config.export.logs)
"""

WAYS: Mapping[str, str] = {
    BASE: "import asyncio",
    "bare Python": "",
    "ours until next": "import logger_extension.bootstrap",
    "ours http://": TARGET.format("http://collector.example:4318", "http/protobuf"),
    "ours https://": TARGET.format("https://collector.example:4318", "http/protobuf"),
    "ours grpc": TARGET.format("http://collector.example:4317", "grpc"),
}
CPU = Series(
    case="imports_cpu", unit="ms of CPU", relation="ratio", baseline=BASE, least_change=0.05
)
MEMORY = Series(
    case="imports_memory", unit="MB", relation="ratio", baseline=BASE, least_change=0.03
)


def run(plan: Plan, results: Results) -> None:
    """Start all ways in turn."""
    for number in range(-plan.warm_ups(1), plan.rounds(*ROUNDS)):
        for name, way in WAYS.items():
            cpu_ms, memory_mb = run_once(way)
            if number >= 0:
                results.add(CPU, name, cpu_ms)
                results.add(MEMORY, name, memory_mb)


def run_once(way: str) -> tuple[float, float]:
    """Return milliseconds of CPU, and the peak in MB, of one process."""
    # The real one: that of a venv reads its configuration first.
    python = os.path.realpath(sys.executable)
    paths = [str(REPOSITORY), sysconfig.get_path("purelib")]
    command = [python, "-I", "-S", "-c", PROGRAM.format(way), *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    cpu_ms, memory_mb = map(float, done.stdout.split())
    return cpu_ms, memory_mb
