"""What is compared in an invocation.

    none         no extension; the handler prints
    no-op        an extension in bash that only asks next
    subscribed   the same, subscribed to telemetry: so the local Lambda has the work of posting the
                 lines, which on AWS is done elsewhere
    powertools   no extension; the handler logs with aws-lambda-powertools
    SDK ...      no extension; the OpenTelemetry SDK in the handler, flushed before it returns
    ours ...     the extension, by flush policy
    and the extensions of others that were named

Owns how each is set up for a collector and what a collector's way to it is called. Must not know
what is measured.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from benchmarks.frame import Plan, Results
from benchmarks.local_lambda import Setup
from benchmarks.peers import make_environ

OURS = "ours"
NONE = "none"
NOOP = "no-op"
SUBSCRIBED = "subscribed"
SIMPLE, BATCH = "SDK simple", "SDK batch"
SDK = {SIMPLE: "simple", BATCH: "batch"}
POWERTOOLS = "powertools"
IDLE_EVENT: Mapping[str, Any] = {"parts": 1, "times": 0, "sleep_ms": 0, "lines": 0, "mark": "x.0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Collecting:
    """How telemetry goes to the collector.

    Attributes:
        round_trip_ms: to it and back.
        protocol: as in OTEL_EXPORTER_OTLP_PROTOCOL; the SDK speaks `http/protobuf` alone.
        compression: `gzip` or `none`.
    """

    round_trip_ms: float = 1.0
    protocol: str = "http/protobuf"
    compression: str = "gzip"


def name_subjects(plan: Plan, results: Results, policies: Sequence[str]) -> list[str]:
    """Return all that can be run here; what cannot is noted."""
    powertools = [POWERTOOLS] if find_spec("aws_lambda_powertools") else []
    if not powertools:
        results.note("no powertools: pip install aws-lambda-powertools")
    return [
        NONE,
        NOOP,
        SUBSCRIBED,
        *powertools,
        *SDK,
        *(f"{OURS} {each}" for each in policies),
        *plan.peers,
    ]


def name_way(subject: str, protocol: str) -> str:
    """Return what the collector calls a subject's way to it."""
    way = re.sub("[^A-Za-z0-9]+", "-", subject).strip("-")
    return f"{way}-grpc" if protocol == "grpc" and subject.startswith(OURS) else way


def make_setup(
    plan: Plan, subject: str, collecting: Collecting, address: str, scenario: Mapping[str, Any]
) -> Setup:
    """Return how a subject is run.

    Args:
        plan: knows the peers.
        subject: one of `name_subjects`.
        collecting: how telemetry goes.
        address: HOST:PORT of the subject's way to the collector; the subscribed no-op has its
            telemetry sent there, where it counts for nothing.
        scenario: fields of `lambda_sandbox.Scenario`.
    """
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{address}",
        "OTEL_EXPORTER_OTLP_COMPRESSION": collecting.compression,
    }
    if subject in plan.peers:
        peer = plan.peers[subject]
        theirs = make_environ(peer, address)
        return Setup(name=subject, extension=peer, environ=theirs, scenario=scenario)
    if subject.startswith(OURS):
        environ["OTEL_EXPORTER_OTLP_PROTOCOL"] = collecting.protocol
        environ["LOGGER_EXTENSION_FLUSH_POLICY"] = subject.removeprefix(OURS).strip() or "auto"
        return Setup(name=subject, extension="ours", environ=environ, scenario=scenario)
    if subject in SDK:
        environ["BENCHMARK_TELEMETRY"] = SDK[subject]
    elif subject == POWERTOOLS:
        environ = {"BENCHMARK_TELEMETRY": POWERTOOLS}
    elif subject == SUBSCRIBED:
        environ = {"NOOP_TELEMETRY_PORT": address.rpartition(":")[2]}
    else:
        environ = {}
    extension = "noop" if subject in (NOOP, SUBSCRIBED) else "none"
    return Setup(name=subject, extension=extension, environ=environ, scenario=scenario)


def sends(plan: Plan, subject: str) -> bool:
    """Whether a subject sends telemetry to the collector."""
    return subject.startswith(OURS) or subject in SDK or subject in plan.peers
