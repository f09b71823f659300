"""What happens in the synthetic telemetry: functions, their sandboxes, their invocations and costs.

The truth that reports must find again. Costs are whole picodollars (10^-12 USD), as in the
extension, so that parts add up to the whole exactly.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

NANOS_PER_MS = 1_000_000
PICO = 10**12
PICO_PER_REQUEST = 200_000
# USD for a GB-second, at list price in eu-west-1 and most other regions.
USD_PER_GB_SECOND = {"x86_64": 0.0000166667, "arm64": 0.0000133334}

TIMEOUT, NO_MEMORY = "timeout", "Runtime.OutOfMemory"

# Between two invocations of a sandbox.
_LEAST_PAUSE_MS, _PAUSE_MS = 50, 20_000
_LEAK_SHARE = 0.1
# Of a sandbox's last invocation: nothing wakes the extension for its report.
_LOST_REPORTS = 0.5


@dataclass(frozen=True, slots=True)
class Version:
    """A published version of a function."""

    number: str
    memory_mb: int
    architecture: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A function.

    Attributes:
        qualifier: what callers put behind its ARN: an alias, a version, or nothing.
        median_ms: of its handler.
        init_ms: about how long its init takes.
        features: what its SDK names as features; () for a function without an SDK.
        has_price: whether the region's prices are known.
        awaits_report: whether the extension waits for the report, which then is on the SERVER span.
    """

    name: str
    versions: tuple[Version, ...]
    qualifier: str
    median_ms: float
    init_ms: float
    timeout_ms: int = 3_000
    error_share: float = 0.02
    features: tuple[str, ...] = ()
    region: str = "eu-west-1"
    has_price: bool = True
    awaits_report: bool = False


X86, ARM = "x86_64", "arm64"
PROFILES = (
    Profile(
        name="shop-checkout",
        versions=(Version("7", 1024, X86), Version("8", 1024, ARM)),
        qualifier="live",
        median_ms=85.0,
        init_ms=420.0,
        features=("POST /orders", "GET /orders/{id}", "POST /payments"),
    ),
    Profile(
        name="shop-search",
        versions=(Version("3", 512, ARM), Version("4", 1769, ARM)),
        qualifier="",
        median_ms=40.0,
        init_ms=260.0,
        features=("GET /search", "GET /suggest"),
    ),
    Profile(
        name="image-resize",
        versions=(Version("$LATEST", 2048, X86),),
        qualifier="$LATEST",
        median_ms=640.0,
        init_ms=900.0,
        error_share=0.05,
    ),
    Profile(
        name="mail-sender",
        versions=(Version("12", 128, ARM), Version("13", 256, ARM)),
        qualifier="12",
        median_ms=210.0,
        init_ms=180.0,
        timeout_ms=1_000,
        awaits_report=True,
    ),
    Profile(
        name="archive-import",
        versions=(Version("1", 512, X86),),
        qualifier="nightly",
        median_ms=1_500.0,
        init_ms=350.0,
        timeout_ms=15_000,
        region="xx-new-1",
        has_price=False,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One invocation, as Lambda knows it.

    Attributes:
        runtime_ms: from its start until the runtime was done.
        extension_ms: what extensions took after that.
        billed_ms: None where no report came.
        error_type: "" for one that went well.
        has_late_report: whether the report's attributes are on the child `extensionOverhead`.
        pico_usd: the cost of handler, init and extension; () where it is not known.
        missing_reason: why it is not known, where a span says so.
    """

    profile: Profile
    version: Version
    instance: str
    request_id: str
    trace_id: str
    start_unix_nano: int
    is_cold_start: bool
    init_ms: float
    runtime_ms: float
    extension_ms: float
    billed_ms: int | None
    max_memory_used_mb: int
    error_type: str
    feature: str
    has_late_report: bool
    pico_usd: tuple[int, ...]
    missing_reason: str

    @property
    def end_unix_nano(self) -> int:
        """When the runtime was done."""
        return self.start_unix_nano + int(self.runtime_ms * NANOS_PER_MS)

    @property
    def cost_usd(self) -> float | None:
        """The whole cost, None where it is not known."""
        return sum(self.pico_usd) / PICO if self.pico_usd else None


def draw_sandbox(
    rng: random.Random, profile: Profile, version: Version, start_unix_nano: int, count: int
) -> Iterator[Facts]:
    """Yield the `count` invocations of one sandbox, in order; the first one is cold."""
    instance = f"2026/11/23/[{version.number}]{rng.getrandbits(128):032x}"
    at_unix_nano = start_unix_nano
    used_mb = int(version.memory_mb * rng.uniform(0.35, 0.8))
    for index in range(count):
        used_mb = min(version.memory_mb - 1, used_mb + (rng.random() < _LEAK_SHARE))
        facts = _draw(rng, _Sandbox(profile, version, instance, used_mb), at_unix_nano, index == 0)
        if index == count - 1 and rng.random() < _LOST_REPORTS:
            facts = _lose_report(facts)
        yield facts
        pause_ms = _LEAST_PAUSE_MS + rng.expovariate(1 / _PAUSE_MS)
        at_unix_nano = facts.end_unix_nano + int(pause_ms) * NANOS_PER_MS


@dataclass(frozen=True, slots=True)
class _Sandbox:
    profile: Profile
    version: Version
    instance: str
    used_mb: int


def _draw(rng: random.Random, sandbox: _Sandbox, start_unix_nano: int, is_cold: bool) -> Facts:  # noqa: FBT001
    profile, version = sandbox.profile, sandbox.version
    error_type = _draw_error(rng, profile)
    runtime_ms = min(rng.lognormvariate(math.log(profile.median_ms), 0.5), profile.timeout_ms - 1.0)
    if error_type == TIMEOUT:
        runtime_ms = float(profile.timeout_ms)
    runtime_ms = round(runtime_ms, 3)
    extension_ms = round(rng.uniform(0.5, 4.0), 3)
    init_ms = round(profile.init_ms * rng.uniform(0.8, 1.4), 3) if is_cold else 0.0
    billed_ms = math.ceil(runtime_ms + extension_ms) + math.ceil(init_ms)
    # X-Ray's ids begin with the time in seconds.
    trace_id = f"{start_unix_nano // 10**9:08x}{rng.getrandbits(96):024x}"
    return Facts(
        profile=profile,
        version=version,
        instance=sandbox.instance,
        request_id=_draw_uuid(rng),
        trace_id=trace_id,
        start_unix_nano=start_unix_nano,
        is_cold_start=is_cold,
        init_ms=init_ms,
        runtime_ms=runtime_ms,
        extension_ms=extension_ms,
        billed_ms=billed_ms,
        max_memory_used_mb=version.memory_mb if error_type == NO_MEMORY else sandbox.used_mb,
        error_type=error_type,
        feature=rng.choice(profile.features) if profile.features else "",
        has_late_report=not profile.awaits_report,
        pico_usd=_price(version, billed_ms, init_ms, extension_ms) if profile.has_price else (),
        missing_reason="" if profile.has_price else "unknown_price",
    )


def _draw_error(rng: random.Random, profile: Profile) -> str:
    if rng.random() >= profile.error_share:
        return ""
    return rng.choice((TIMEOUT, NO_MEMORY, "ValueError", "Runtime.ExitError"))


def _draw_uuid(rng: random.Random) -> str:
    digits = f"{rng.getrandbits(128):032x}"
    parts = digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]
    return "-".join(parts)


def _price(
    version: Version, billed_ms: int, init_ms: float, extension_ms: float
) -> tuple[int, int, int]:
    usd_per_gb_second = USD_PER_GB_SECOND[version.architecture]
    pico_per_ms = version.memory_mb / 1024 * usd_per_gb_second / 1000 * PICO
    total = round(PICO_PER_REQUEST + billed_ms * pico_per_ms)
    init = round(math.ceil(init_ms) * pico_per_ms)
    extension = round(extension_ms * pico_per_ms)
    return total - init - extension, init, extension


def _lose_report(facts: Facts) -> Facts:
    """Return an invocation after which the sandbox ended before its report came."""
    # Only a span that waited for the report can say that none came.
    reason = "no_report" if facts.profile.awaits_report and facts.profile.has_price else ""
    return replace(facts, billed_ms=None, pico_usd=(), missing_reason=reason)
