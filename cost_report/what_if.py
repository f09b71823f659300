"""What a request would cost on arm64, with another memory size, or without extensions. Pure.

Owns the models and their assumptions, which come with every figure. Prices are passed in. Must not
know tables.
"""

from dataclasses import dataclass

from cost_report.usage import Usage
from cost_report.values import Interval, NotEnoughData


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
    raise NotImplementedError


def estimate_memory(
    usage: Usage, memory_size_mb: int, prices: Prices | None
) -> Estimate | NotEnoughData:
    """Return the cost with another memory size, of the same architecture.

    Args:
        usage: as measured.
        memory_size_mb: the other size.
        prices: list prices of the function's region and architecture, None where not known.
    """
    raise NotImplementedError


def estimate_without_extension(usage: Usage) -> Estimate | NotEnoughData:
    """Return the cost less what extensions took after the handler."""
    raise NotImplementedError


def say_estimate(result: Estimate | NotEnoughData) -> str:
    """Return a sentence: `with arm64 a request costs 20 % less (0 % to 36 % less)`."""
    raise NotImplementedError
