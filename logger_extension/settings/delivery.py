"""Settings of flush, queues and retries: what delivery may cost.

Owns names, ranges and the reasons of the defaults. Must not know how anything is sent.
"""

from dataclasses import dataclass
from typing import Self

from logger_extension.environment import Environment
from logger_extension.policy.flush import FlushRules, Policy

KIB, MIB = 1024, 1024 * 1024

# Encoding and compressing one request cannot be cut off. At 128 MB of memory, a fourteenth of a
# CPU, this much takes some 60 ms: less than the margin before a deadline. (Many collectors refuse
# requests above 4 MiB, so there is no use in larger ones anyway.)
REQUEST_MAX_BYTES = 512 * KIB

# What AWS's own endpoints take, the smallest limit known. Bytes mostly come first.
REQUEST_MAX_RECORDS = 10_000

# So many records can still be written down at SHUTDOWN, in about a second and on a machine that is
# busy; more go to the fallback before. (A record counts for 256 bytes at least.)
RECORDS_PER_VCPU, LEAST_RECORDS, MOST_RECORDS = 20_000, 2_048, 40_000

# A vCPU reads, encodes and compresses some 20 MB of telemetry bodies in a second.
UNREAD_PER_VCPU = 4 * MIB

MAX_DURATION_MS = 900_000

POLICIES = {policy.value: policy for policy in Policy}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """What delivery may cost, in time and memory.

    Attributes:
        flush: when to send.
        flush_timeout_ms: the most that a flush may take of an invocation.
        collector_budget_ms: the most that a collector which does not answer may cost one.
        deadline_margin_ms: how long before a deadline of Lambda's our work must be over.
        queue_max_bytes: the most that waits for export, a signal; never more than a sixteenth of
            the memory.
        queue_max_records: the same in records.
        unread_max_bytes: the most that waits unread while there is no CPU to read it beside the
            handler: what can be sent in well under a second afterwards.
        request_max_bytes: how much goes into one request, before compression.
        request_max_records: the same in records.
    """

    flush: FlushRules
    flush_timeout_ms: int
    collector_budget_ms: int
    deadline_margin_ms: int
    queue_max_bytes: int
    queue_max_records: int
    unread_max_bytes: int
    request_max_bytes: int
    request_max_records: int

    @classmethod
    def read(cls, env: Environment, *, memory_bytes: int, vcpus: float, is_managed: bool) -> Self:
        """Read the variables; what cannot be used is a complaint, and its default is taken.

        Args:
            env: the environment.
            memory_bytes: what the sandbox may use.
            vcpus: how many processors' worth of time it has.
            is_managed: whether nothing freezes and no INVOKE comes (Managed Instances).
        """
        share_bytes = _share_of(memory_bytes)
        queue_max_bytes = env.integer(
            "LOGGER_EXTENSION_QUEUE_MAX_BYTES",
            share_bytes,
            64 * KIB,
            max(memory_bytes // 16, share_bytes),
        )
        return cls(
            flush=_read_flush(env, is_managed=is_managed),
            flush_timeout_ms=env.integer(
                "LOGGER_EXTENSION_FLUSH_TIMEOUT_MS", 2_000, 10, MAX_DURATION_MS
            ),
            collector_budget_ms=env.integer(
                "LOGGER_EXTENSION_COLLECTOR_BUDGET_MS", 100, 1, MAX_DURATION_MS
            ),
            deadline_margin_ms=env.integer("LOGGER_EXTENSION_DEADLINE_MARGIN_MS", 200, 10, 60_000),
            queue_max_bytes=queue_max_bytes,
            unread_max_bytes=min(queue_max_bytes, max(512 * KIB, int(vcpus * UNREAD_PER_VCPU))),
            queue_max_records=env.integer(
                "LOGGER_EXTENSION_QUEUE_MAX_RECORDS",
                min(max(int(vcpus * RECORDS_PER_VCPU), LEAST_RECORDS), MOST_RECORDS),
                1,
                10_000_000,
            ),
            request_max_bytes=env.integer(
                "LOGGER_EXTENSION_REQUEST_MAX_BYTES", REQUEST_MAX_BYTES, 16 * KIB, 64 * MIB
            ),
            request_max_records=env.integer(
                "LOGGER_EXTENSION_REQUEST_MAX_RECORDS", REQUEST_MAX_RECORDS, 1, 1_000_000
            ),
        )


def _read_flush(env: Environment, *, is_managed: bool) -> FlushRules:
    # The specification's own pause between exports of logs.
    interval_ms = env.integer("OTEL_BLRP_SCHEDULE_DELAY", 1_000, 10, MAX_DURATION_MS)
    staleness_ms = env.integer("LOGGER_EXTENSION_STALENESS_LIMIT_MS", 10_000, 100, 24 * 3600 * 1000)
    text = env.text("LOGGER_EXTENSION_FLUSH_POLICY").lower()
    name, comma, pause = (part.strip() for part in text.partition(","))
    policy = POLICIES.get(name, Policy.AUTO)
    is_number = pause.isascii() and pause.isdigit() and not pause[9:]
    is_pause = is_number and 0 < int(pause) <= MAX_DURATION_MS
    if policy is Policy.PERIODIC and is_pause:
        interval_ms = int(pause)
    elif text and (comma or name not in POLICIES or policy is Policy.PERIODIC):
        env.complaints.append(
            f"LOGGER_EXTENSION_FLUSH_POLICY={text[:40]!r} is not auto, end, overlap or"
            " periodic,<milliseconds>: auto is used"
        )
        policy = Policy.AUTO
    if is_managed:
        # Invocations come side by side, and no event tells of them: an interval is all there is.
        policy = Policy.PERIODIC
    return FlushRules(policy=policy, interval_ms=interval_ms, staleness_limit_ms=staleness_ms)


def _share_of(memory_bytes: int) -> int:
    # There are up to nine of these bounds: what is unread, three signals, the same for what the
    # function's SDK sends, and lines that sampling holds back. Together they stay below a third of
    # the function's memory, also of the smallest, and are mostly empty.
    return min(max(memory_bytes // 32, 4 * MIB), 64 * MIB)
