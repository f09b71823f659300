"""Whether the spans of an invocation are exported, as `OTEL_TRACES_SAMPLER` says.

The specification's samplers (https://opentelemetry.io/docs/specs/otel/trace/sdk/#built-in-samplers)
on values; that they agree with the SDK's own is held by a test. Must not know the environment.
"""

from collections.abc import Mapping
from typing import NamedTuple

from logger_extension.policy.trace_context import TraceContext

RATIO_BITS = 64


class Sampler(NamedTuple):
    """Decides by the caller's decision, if it is asked for, and else by a share of trace ids.

    Attributes:
        ratio: the share of traces that is exported, 0 to 1.
        follows_parent: whether a decision of the caller (`Sampled` in the header) is taken over.
    """

    ratio: float
    follows_parent: bool

    def decide(self, context: TraceContext) -> bool:
        """Return whether this trace is exported."""
        if self.follows_parent and context.sampled is not None:
            return context.sampled
        # The lower 64 bits below a bound: every sampler of every language decides alike.
        low = int.from_bytes(context.trace_id[8:], "big")
        return low < round(self.ratio * (1 << RATIO_BITS))


# Names of the specification: whether they follow the parent, and their ratio; None: the argument.
SAMPLERS: Mapping[str, tuple[bool, float | None]] = {
    "parentbased_always_on": (True, 1.0),
    "always_on": (False, 1.0),
    "always_off": (False, 0.0),
    "traceidratio": (False, None),
    "parentbased_always_off": (True, 0.0),
    "parentbased_traceidratio": (True, None),
}


def choose_sampler(name: str, argument: float) -> Sampler:
    """Return the sampler of a name of the specification; an unknown one is the default."""
    follows_parent, ratio = SAMPLERS.get(name, SAMPLERS["parentbased_always_on"])
    return Sampler(argument if ratio is None else ratio, follows_parent)
