"""What a request would cost on arm64, with another memory size, or without extensions. Pure.

Owns the models and their assumptions, which come with every figure. Prices are passed in. Must not
know tables.
"""

from dataclasses import dataclass
from math import ceil

from cost_report.slowdown import Slowdown, model_slowdown
from cost_report.usage import Usage
from cost_report.values import Interval, NotEnoughData
from cost_report.wording import say_change, say_percent, say_range

# How much time the same code may take on another architecture: from a fifth less to a fifth more.
TIME_FACTORS = (0.8, 1.2)

# What must be left above the most memory that was seen in use, as a share of that.
HEADROOM = 0.2
SMALLEST_MB, LARGEST_MB = 128, 10_240

# Fewer invocations than this say more about chance than about the function.
LEAST_INVOCATIONS = 30


@dataclass(frozen=True, slots=True)
class Prices:
    """List prices of a region and architecture."""

    usd_per_gb_second: float
    usd_per_request: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a change would make of the cost of one request.

    Attributes:
        change: in words, to follow "with": `arm64`, `512 MB instead of 1024 MB`.
        now_usd: the mean cost of a request, as measured.
        then_usd: the mean cost after the change.
        assumptions: what the figure rests on, a sentence each.
    """

    change: str
    now_usd: float
    then_usd: Interval
    assumptions: tuple[str, ...]

    @property
    def relative(self) -> Interval:
        """The change as a share of the present cost (-0.2 is 20 % less); 0 where that is 0."""
        if not self.now_usd:
            return Interval(0.0, 0.0, 0.0)
        low, high = self.then_usd.low / self.now_usd - 1, self.then_usd.high / self.now_usd - 1
        return Interval(self.then_usd.estimate / self.now_usd - 1, low, high)


def estimate_architecture(
    usage: Usage, architecture: str, now: Prices | None, then: Prices | None
) -> Estimate | NotEnoughData:
    """Return the cost on another architecture at list prices.

    Args:
        usage: as measured.
        architecture: 'arm64' or 'x86_64'.
        now: list prices of the present architecture, None where they are not known.
        then: those of the other.
    """
    parts = _divide(usage, now)
    if isinstance(parts, NotEnoughData):
        return parts
    if now is None or then is None or not now.usd_per_gb_second:
        place = f"{architecture} in {usage.region or 'an unknown region'}"
        return NotEnoughData(f"the list price of {place} is not known")
    if not usage.architecture:
        return NotEnoughData(f"the architecture of {usage.function} is not known")
    is_same = architecture == usage.architecture
    fast, slow = (1.0, 1.0) if is_same else TIME_FACTORS
    ratio = then.usd_per_gb_second / now.usd_per_gb_second
    duration_usd = (parts.handler_usd + parts.init_usd + parts.extension_usd) * ratio
    request_usd = max(parts.request_usd + then.usd_per_request - now.usd_per_request, 0.0)
    return Estimate(
        change=architecture,
        now_usd=parts.total_usd,
        then_usd=Interval(
            request_usd + duration_usd,
            request_usd + duration_usd * fast,
            request_usd + duration_usd * slow,
        ),
        assumptions=(
            (
                f"a GB-second on {architecture} costs {say_change(ratio - 1)} than on"
                f" {usage.architecture}, by list price"
            ),
            (
                "the code takes the same time on both; the range is for"
                f" {say_percent(1 - fast)} less to {say_percent(slow - 1)} more"
            ),
        ),
    )


def estimate_memory(
    usage: Usage, memory_size_mb: int, prices: Prices | None
) -> Estimate | NotEnoughData:
    """Return the cost with another memory size, of the same architecture.

    Args:
        usage: as measured.
        memory_size_mb: the other size.
        prices: list prices of the function's region and architecture, None where not known.
    """
    parts = _divide(usage, prices)
    if isinstance(parts, NotEnoughData):
        return parts
    if usage.memory_size_mb is None:
        return NotEnoughData(f"the memory size of {usage.function} is not known")
    refusal = _refuse_size(usage, memory_size_mb)
    if refusal:
        return NotEnoughData(refusal)
    slowdown = model_slowdown(
        usage.memory_size_mb, memory_size_mb, usage.cpu_s, usage.duration_ms / 1000
    )
    return Estimate(
        change=f"{memory_size_mb} MB instead of {usage.memory_size_mb} MB",
        now_usd=parts.total_usd,
        then_usd=_scale(parts, memory_size_mb / usage.memory_size_mb, slowdown),
        assumptions=(
            *slowdown.assumptions,
            "init and what extensions take after the handler last as long as now",
            *_say_room(usage, memory_size_mb),
        ),
    )


def estimate_without_extension(usage: Usage) -> Estimate | NotEnoughData:
    """Return the cost less what extensions took after the handler."""
    if usage.priced < LEAST_INVOCATIONS or usage.cost_usd is None:
        return _refuse_few(usage)
    if usage.extension_usd is None:
        return NotEnoughData(f"no invocation of {usage.function} tells what extensions took")
    then_usd = max(usage.cost_usd - usage.extension_usd, 0.0)
    return Estimate(
        change="no extensions",
        now_usd=usage.cost_usd,
        then_usd=Interval(then_usd, then_usd, then_usd),
        assumptions=(
            "the time after the handler is that of all extensions, this one and others",
            "their part of init, and what they take beside the handler, are still in the figure",
        ),
    )


def say_estimate(result: Estimate | NotEnoughData) -> str:
    """Return a sentence: `with arm64 a request costs 20 % less (0 % to 36 % less)`."""
    if isinstance(result, NotEnoughData):
        return result.reason
    return f"with {result.change} a request costs {say_range(result.relative)}"


@dataclass(frozen=True, slots=True)
class _Parts:
    """The mean cost of a request: what is asked for each, and what time costs, by whose it is."""

    request_usd: float
    handler_usd: float
    init_usd: float
    extension_usd: float
    total_usd: float


def _divide(usage: Usage, prices: Prices | None) -> _Parts | NotEnoughData:
    if usage.priced < LEAST_INVOCATIONS or usage.cost_usd is None:
        return _refuse_few(usage)
    if prices is None:
        what = (
            f"{usage.architecture or 'an unknown architecture'} in {usage.region or 'an unknown'}"
        )
        return NotEnoughData(f"the list price of {what} is not known")
    init_usd, extension_usd = usage.init_usd or 0.0, usage.extension_usd or 0.0
    time_usd = max(usage.cost_usd - init_usd - extension_usd, 0.0)
    request_usd = min(prices.usd_per_request, time_usd)
    return _Parts(request_usd, time_usd - request_usd, init_usd, extension_usd, usage.cost_usd)


def _scale(parts: _Parts, size: float, slowdown: Slowdown) -> Interval:
    """Return the cost at `size` times the memory."""
    still_usd = parts.request_usd + (parts.init_usd + parts.extension_usd) * size
    handler_usd = parts.handler_usd * size
    factor = slowdown.factor
    costs = [still_usd + handler_usd * each for each in (factor.estimate, factor.low, factor.high)]
    return Interval(*costs)


def _refuse_few(usage: Usage) -> NotEnoughData:
    return NotEnoughData(
        f"not enough data: {usage.priced} of {usage.invocations} invocations of {usage.function}"
        f" have a cost, and an estimate needs {LEAST_INVOCATIONS}"
    )


def _refuse_size(usage: Usage, memory_size_mb: int) -> str:
    """Return why a size cannot be, '' where it can."""
    if not SMALLEST_MB <= memory_size_mb <= LARGEST_MB:
        return f"Lambda has sizes from {SMALLEST_MB} to {LARGEST_MB} MB"
    if usage.memory_size_mb is not None and memory_size_mb >= usage.memory_size_mb:
        return ""
    if usage.max_memory_used_mb is None:
        return f"no invocation of {usage.function} tells how much memory it used"
    least_mb = ceil(usage.max_memory_used_mb * (1 + HEADROOM))
    if memory_size_mb < least_mb:
        return (
            f"{memory_size_mb} MB is too small for {usage.function}: up to"
            f" {usage.max_memory_used_mb:.0f} MB were in use, and with {say_percent(HEADROOM)}"
            f" above that {least_mb} MB is the least"
        )
    return ""


def _say_room(usage: Usage, memory_size_mb: int) -> tuple[str, ...]:
    if usage.max_memory_used_mb is None:
        return ()
    room = memory_size_mb / usage.max_memory_used_mb - 1 if usage.max_memory_used_mb else 0.0
    return (
        (
            f"of {usage.invocations:,} invocations none used more than"
            f" {usage.max_memory_used_mb:.0f} MB, which {memory_size_mb} MB exceeds by"
            f" {say_percent(room)}"
        ),
    )
