"""The configurations of `deploy/collector` in the real OpenTelemetry Collector."""

from __future__ import annotations

import signal
import ssl
import subprocess
import time
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from logger_extension.policy.invocation import Invocation
from logger_extension.policy.trace_context import derive_context
from logger_extension.signals.phases import make_invocation_spans
from logger_extension.signals.traces import encode_spans
from otlp_viewer import Collector
from tests.support.certificates import HAS_OPENSSL, make_certificates
from tests.support.otelcol import FOLDER, HOW_TO_GET, find_otelcol, make_command, run_otelcol
from tests.support.whole import SERVER, run_whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from otlp_viewer import Store
    from tests.support.otelcol import Otelcol
    from tests.support.whole import Whole

pytestmark = [
    pytest.mark.skipif(find_otelcol() is None, reason=HOW_TO_GET),
    pytest.mark.slow,
    pytest.mark.timeout(90),
]

AGENT, SAMPLER = FOLDER / "agent.yaml", FOLDER / "gateway-sampler.yaml"
LOAD_BALANCER, AUTHENTICATED = FOLDER / "gateway-loadbalancer.yaml", FOLDER / "authenticated.yaml"
OTLP = FOLDER / "backends" / "otlp.yaml"
BACKENDS = sorted((FOLDER / "backends").glob("*.yaml"))
GIB = 1 << 30
OVERHEAD = "extensionOverhead"


async def post(
    otelcol: Otelcol,
    body: bytes,
    *,
    signal: str = "traces",
    tls: ssl.SSLContext | None = None,
    headers: Mapping[str, str] | None = None,
) -> int:
    """Post a request to a collector and return the status."""
    scheme = "https" if tls else "http"
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{scheme}://127.0.0.1:{otelcol.http_port}/v1/{signal}",
            data=body,
            headers={"content-type": "application/x-protobuf", **(headers or {})},
            ssl=tls or True,
        ) as answer,
    ):
        return answer.status


def make_spans(name: str, *, memory_bytes: int = GIB, **facts: Any) -> bytes:
    """Return what the extension sends of an invocation: one of 10 ms, or as `facts` say."""
    extra, duration_ms = facts.pop("extra", {}), facts.pop("duration_ms", 10)
    now = time.time_ns()
    invocation = Invocation(
        name,
        derive_context(name, ""),
        start_unix_nano=now - duration_ms * 1_000_000,
        end_unix_nano=now,
        **({"status": "success"} | facts),
    )
    spans = make_invocation_spans(invocation, "function", "$LATEST", extra)
    return encode_spans({"service.name": "function", "faas.max_memory": memory_bytes}, spans)


def kept(collector: Collector) -> set[str]:
    """Return the invocations whose SERVER spans are at the collector."""
    spans = collector.store.spans
    return {str(row.attributes["faas.invocation_id"]) for row in spans if row.kind == SERVER}


def late(collector: Collector) -> set[str]:
    """Return the invocations whose reports are at the collector."""
    spans = [row for row in collector.store.spans if row.name == OVERHEAD]
    return {str(row.attributes["faas.invocation_id"]) for row in spans}


def variables_of(*configs: Path) -> dict[str, str]:
    """Return a value for each variable that configurations name without a default."""
    text = "".join(config.read_text() for config in configs)
    names = [part.partition("}")[0] for part in text.split("${env:")[1:]]
    return {name: "http://127.0.0.1:9" for name in names if ":-" not in name}


@pytest.mark.parametrize("config", [AGENT, SAMPLER], ids=lambda path: path.stem)
@pytest.mark.parametrize("backend", BACKENDS, ids=lambda path: path.stem)
def test_the_collector_takes_each_backend(config: Path, backend: Path) -> None:
    """Agent and sampler are valid with every backend."""
    # sigv4auth looks for credentials when it is made.
    credentials = {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "y",
        "AWS_REGION": "eu-west-1",
    }
    headers = {"BACKEND_HEADERS": "{api-key: x}"}
    environ = variables_of(config, backend) | headers | credentials
    command = make_command((config, backend), "validate")
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("configs", [(LOAD_BALANCER,), (LOAD_BALANCER, AUTHENTICATED)])
def test_the_collector_takes_the_first_tier(configs: tuple[Path, ...]) -> None:
    """The load balancer is valid without a backend."""
    command = make_command(configs, "validate")
    environ = variables_of(*configs)
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def names_in(store: Store) -> set[str]:
    """Return the bodies of log records and the names of spans and metrics."""
    named = {row.name for rows in (store.spans, store.metrics) for row in rows}
    return named | {str(row.body) for row in store.logs}


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
async def test_agent_hands_on_what_the_extension_sends(tmp_path: Path, protocol: str) -> None:
    """Logs, spans and metrics of an invocation reach the backend, by either protocol."""
    async with (
        Collector() as backend,
        run_otelcol(
            tmp_path / "agent", AGENT, OTLP, environ={"BACKEND_ENDPOINT": backend.endpoint}
        ) as agent,
    ):
        port = agent.grpc_port if protocol == "grpc" else agent.http_port
        environ = {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
        endpoint = f"http://127.0.0.1:{port}"
        async with run_whole(tmp_path, endpoint=endpoint, environ=environ) as whole:
            await whole.sandbox.invoke(b'{"lines": ["through the agent"]}')
            await whole.sandbox.shutdown()
            assert whole.stderr == []
        wanted = {"through the agent", OVERHEAD, "faas.invocations"}
        await backend.store.wait_for(lambda store: wanted <= names_in(store), timeout_s=20)


async def test_agent_keeps_what_it_has_taken(tmp_path: Path) -> None:
    """What was answered with 200 while the backend was away is sent after the agent was killed."""
    folder = tmp_path / "agent"
    environ = {"BACKEND_ENDPOINT": "http://127.0.0.1:9"}
    async with run_otelcol(folder, AGENT, OTLP, environ=environ) as agent:
        assert await post(agent, make_spans("kept")) == 200
        await agent.end(signal.SIGKILL)
    async with Collector() as backend:
        environ = {"BACKEND_ENDPOINT": backend.endpoint}
        async with run_otelcol(folder, AGENT, OTLP, environ=environ):
            await backend.store.wait_for(lambda _: kept(backend) == {"kept"}, timeout_s=20)


@pytest.mark.skipif(not HAS_OPENSSL, reason="needs openssl")
async def test_authenticated_agent_refuses_strangers(tmp_path: Path) -> None:
    """With authentication only requests with a token of the file are taken, over TLS."""
    certificates = make_certificates(tmp_path)
    (tmp_path / "tokens").write_text("old\nnew\n")
    tls = ssl.create_default_context(cafile=certificates.file("authority.pem"))
    environ = {
        "BACKEND_ENDPOINT": "http://127.0.0.1:9",
        "RECEIVER_CERTIFICATE": certificates.file("server.pem"),
        "RECEIVER_KEY": certificates.file("server.key"),
        "RECEIVER_TOKEN_FILE": str(tmp_path / "tokens"),
    }
    configs = (AGENT, OTLP, AUTHENTICATED)
    async with run_otelcol(tmp_path / "agent", *configs, environ=environ) as agent:
        body = make_spans("any")
        answers = [
            await post(agent, body, tls=tls, headers={"authorization": f"Bearer {token}"})
            for token in ("old", "new", "other")
        ]
        assert [*answers, await post(agent, body, tls=tls)] == [200, 200, 401, 401]


async def test_sampler_keeps_what_is_worth_it(tmp_path: Path) -> None:
    """Failed, slow, cold and expensive invocations are kept, of the rest a share, here none."""
    dropped = [
        make_spans("ordinary"),
        make_spans("long", duration_ms=2_900),
        make_spans("cheap", extra={"aws.lambda.cost_usd": 0.00001}),
    ]
    worth_it = {
        "failed": make_spans("failed", status="error", error_type="Runtime.ExitError"),
        "slow": make_spans("slow", duration_ms=3_500, memory_bytes=GIB // 8),
        "cold": make_spans("cold", is_cold_start=True),
        "large": make_spans("large", duration_ms=2_900, memory_bytes=3 * GIB),
        "priced": make_spans("priced", extra={"aws.lambda.cost_usd": 0.001}),
    }
    async with run_sampler(tmp_path, percentage=0) as (sampler, backend):
        # Decided in their order: when the last is there, the first have been dropped.
        for body in (*dropped, *worth_it.values()):
            assert await post(sampler, body) == 200
        await backend.store.wait_for(lambda _: kept(backend) >= set(worth_it), timeout_s=20)
        await sampler.end()
        assert kept(backend) == set(worth_it)


async def test_sampler_keeps_a_share_of_the_rest(tmp_path: Path) -> None:
    """The share is that of the variable, here all."""
    async with run_sampler(tmp_path, percentage=100) as (sampler, backend):
        assert await post(sampler, make_spans("ordinary")) == 200
        await backend.store.wait_for(lambda _: kept(backend) == {"ordinary"}, timeout_s=20)


async def test_sampler_forgets_nothing_when_it_ends(tmp_path: Path) -> None:
    """Traces that wait are decided at the end, and what is kept is sent after the next start."""
    environ = {"BACKEND_ENDPOINT": "http://127.0.0.1:9", "SAMPLING_PERCENTAGE": "100"}
    folder = tmp_path / "sampler"
    async with run_otelcol(folder, SAMPLER, OTLP, environ=environ) as sampler:
        assert await post(sampler, make_spans("waiting")) == 200
        await sampler.end()
    async with run_sampler(tmp_path, percentage=0) as (_, backend):
        await backend.store.wait_for(lambda _: kept(backend) == {"waiting"}, timeout_s=20)


@asynccontextmanager
async def run_sampler(folder: Path, *, percentage: int) -> AsyncIterator[tuple[Otelcol, Collector]]:
    """Run a sampler that decides after a second, and its backend."""
    async with Collector() as backend:
        environ = {
            "BACKEND_ENDPOINT": backend.endpoint,
            "SAMPLING_PERCENTAGE": str(percentage),
            "DECISION_WAIT": "1s",
        }
        configs = (SAMPLER, OTLP)
        async with run_otelcol(folder / "sampler", *configs, environ=environ) as sampler:
            yield sampler, backend


async def test_gateway_keeps_both_parts_of_a_trace(tmp_path: Path) -> None:
    """Two tiers with two samplers: what comes after the decision follows it, kept or dropped."""
    async with AsyncExitStack() as stack:
        backend = await stack.enter_async_context(Collector())
        environ = {
            "BACKEND_ENDPOINT": backend.endpoint,
            "SAMPLING_PERCENTAGE": "0",
            "DECISION_WAIT": "1s",
            "SLOW_MS": "1500",
        }
        samplers = [
            await stack.enter_async_context(
                run_otelcol(tmp_path / f"sampler{number}", SAMPLER, OTLP, environ=environ)
            )
            for number in range(2)
        ]
        balancer = await stack.enter_async_context(
            run_otelcol(
                tmp_path / "balancer",
                LOAD_BALANCER,
                environ={"SAMPLER_HOSTNAME": "unused"},
                overlay=name_samplers(*samplers),
            )
        )
        endpoint = f"http://127.0.0.1:{balancer.http_port}"
        environ = {"LOGGER_EXTENSION_FLUSH_POLICY": "end"}
        whole = await stack.enter_async_context(
            run_whole(tmp_path, endpoint=endpoint, environ=environ)
        )
        cold, slow = await play_three(whole, backend)
        await backend.store.wait_for(lambda _: late(backend) >= {cold, slow}, timeout_s=20)
        # Log records are not sampled.
        lines = {f"line of {number}" for number in range(3)}
        await backend.store.wait_for(lambda store: lines <= names_in(store), timeout_s=20)
        for sampler in samplers:
            await sampler.end()
        assert kept(backend) == late(backend) == {cold, slow}


async def play_three(whole: Whole, backend: Collector) -> tuple[str, str]:
    """Invoke a cold, an ordinary and a slow time; return the ids of the first and the last.

    Their reports come after their traces have been decided on.
    """
    cold = (await whole.sandbox.invoke(b'{"lines": ["line of 0"]}')).request_id
    await backend.store.wait_for(lambda _: cold in kept(backend), timeout_s=20)
    await whole.sandbox.invoke(b'{"lines": ["line of 1"]}')
    event = b'{"lines": ["line of 2"], "sleep_s": 2}'
    slow = (await whole.sandbox.invoke(event)).request_id
    await backend.store.wait_for(lambda _: slow in kept(backend), timeout_s=20)
    await whole.sandbox.shutdown()
    assert whole.stderr == []
    return cold, slow


def name_samplers(*samplers: Otelcol) -> str:
    """Return YAML that names the samplers one by one: no name here stands for several addresses."""
    hosts = [f"127.0.0.1:{sampler.grpc_port}" for sampler in samplers]
    resolver = f"{{resolver: {{dns: null, static: {{hostnames: {hosts}}}}}}}"
    return f"exporters: {{load_balancing: {resolver}, load_balancing/metrics: {resolver}}}\n"


async def test_balancer_waits_for_a_sampler(tmp_path: Path) -> None:
    """What no sampler takes waits on disk, and goes when one is there, by its name in DNS."""
    folder = tmp_path / "balancer"
    environ = {"SAMPLER_HOSTNAME": "127.0.0.1", "SAMPLER_PORT": "9"}
    async with run_otelcol(folder, LOAD_BALANCER, environ=environ) as balancer:
        assert await post(balancer, make_spans("waited")) == 200
        await balancer.end()
    async with run_sampler(tmp_path, percentage=100) as (sampler, backend):
        environ["SAMPLER_PORT"] = str(sampler.grpc_port)
        async with run_otelcol(folder, LOAD_BALANCER, environ=environ):
            await backend.store.wait_for(lambda _: kept(backend) == {"waited"}, timeout_s=20)


async def test_deltas_become_cumulative(tmp_path: Path) -> None:
    """For backends that know only cumulative series, the points of one stream are added up."""
    async with Collector() as backend:
        environ = {
            "GRAFANA_CLOUD_ENDPOINT": backend.endpoint,
            "GRAFANA_CLOUD_AUTHORIZATION": "Basic eDp5",
        }
        configs = (AGENT, FOLDER / "backends" / "grafana-cloud.yaml")
        async with run_otelcol(tmp_path / "agent", *configs, environ=environ) as agent:
            start = time.time_ns()
            for number in range(2):
                body = make_delta(start + number * 10**9, value=2)
                assert await post(agent, body, signal="metrics") == 200
            await backend.store.wait_for(lambda store: len(store.metrics) == 2, timeout_s=20)
    cumulative = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    points = [(row.value, row.temporality) for row in backend.store.metrics]
    assert points == [(2, cumulative), (4, cumulative)]


def make_delta(start_unix_nano: int, value: int) -> bytes:
    """Return a request with one point of a counter, of one second."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="faas.invocations")
    metric.sum.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
    metric.sum.is_monotonic = True
    metric.sum.data_points.add(
        start_time_unix_nano=start_unix_nano,
        time_unix_nano=start_unix_nano + 10**9,
        as_int=value,
    )
    return request.SerializeToString()
