"""The cold start with and without an extension, beside runtimes whose own init is long or short.

    init     the init phase: Lambda waits for every extension and for the runtime
    answer   init and the response of the first invocation: what the first caller waits for
    billed   init and the whole first invocation, with what extensions take after the handler

The runtimes wait rather than compute, so the CPU is free for what starts beside them; with
`awslambdaric`, AWS's own for Python, they compute, and the SDK in the handler is a subject too. A
full run has the extension over gRPC as well, whose library takes longer to import.
Every start is of a new sandbox. Below 1,769 MB the extension starts in another way: one size shows
it. Init is not held to the CPU share of the memory size, as on Lambda.
"""

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.frame import Plan, Results, Series
from benchmarks.local_lambda import HERE, Setup, open_lane, run_server
from benchmarks.peers import make_environ
from benchmarks.subjects import BATCH, IDLE_EVENT, OURS

LARGE_MB, SMALL_MB = 3_538, 512
ROUNDS = (11, 25)
# What takes a second is repeated less often.
LONG_MS, LONG_ROUNDS = 1_000, (5, 10)
PYTHON = "awslambdaric"
WAITING = str(HERE / "runtimes" / "waiting-runtime")


def run(plan: Plan, results: Results) -> None:
    """Start all subjects beside each runtime."""
    for init_ms, memory_mb in ((20, LARGE_MB), (150, LARGE_MB), (150, SMALL_MB), (1_000, LARGE_MB)):
        rounds = plan.rounds(*(LONG_ROUNDS if init_ms >= LONG_MS else ROUNDS))
        scenario = {"runtime": [WAITING], "memory_size_mb": memory_mb}
        environ = {"BENCHMARK_INIT_MS": str(init_ms)}
        asyncio.run(_measure(plan, results, f"{init_ms} ms", rounds, environ, scenario))
    scenario = {"memory_size_mb": LARGE_MB}
    asyncio.run(_measure(plan, results, PYTHON, plan.rounds(*ROUNDS), {}, scenario))


async def _measure(
    plan: Plan,
    results: Results,
    runtime: str,
    rounds: int,
    environ: Mapping[str, str],
    scenario: Mapping[str, Any],
) -> None:
    init, answer, billed = (
        Series(
            case=f"cold_start_{part}",
            unit="ms",
            relation="difference",
            baseline="none",
            least_change=2.0,
            parameters={"runtime": runtime, "memory_mb": scenario["memory_size_mb"]},
        )
        for part in ("init", "answer", "billed")
    )
    with tempfile.TemporaryDirectory() as folder:
        async with run_server("collector", "all=0", "all-grpc=0") as collector:
            setups = make_setups(plan, collector.addresses, runtime, environ, scenario)
            # The first round warms the disk.
            for number in range(-plan.warm_ups(1), rounds):
                for setup in setups:
                    async with open_lane(Path(folder, str(number)), setup) as lane:
                        invoked = await lane.invoke(IDLE_EVENT)
                    if number >= 0:
                        results.add(init, setup.name, lane.init_ms)
                        results.add(answer, setup.name, lane.init_ms + invoked.response_ms)
                        phase_ms = invoked.before_ms + invoked.after_ms
                        results.add(billed, setup.name, lane.init_ms + phase_ms)


def make_setups(
    plan: Plan,
    addresses: Mapping[str, str],
    runtime: str,
    environ: Mapping[str, str],
    scenario: Mapping[str, Any],
) -> list[Setup]:
    """Return the subjects beside a runtime."""
    address = addresses["all"]
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{address}"}
    setups = [
        Setup(name="none", extension="none", environ=environ, scenario=scenario),
        Setup(name="no-op", extension="noop", environ=environ, scenario=scenario),
        Setup(name=OURS, extension="ours", environ={**environ, **endpoint}, scenario=scenario),
    ]
    if runtime == PYTHON:
        sdk = {**endpoint, "BENCHMARK_TELEMETRY": "batch"}
        setups.append(Setup(name=BATCH, extension="none", environ=sdk, scenario=scenario))
    if plan.is_full:
        grpc = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{addresses['all-grpc']}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        }
        name, variables = f"{OURS} grpc", {**environ, **grpc}
        setups.append(Setup(name=name, extension="ours", environ=variables, scenario=scenario))
    for name, peer in plan.peers.items():
        variables = {**environ, **make_environ(peer, address)}
        setups.append(Setup(name=name, extension=peer, environ=variables, scenario=scenario))
    return setups
