"""An invocation's cost as span attributes.

No convention names a cost; `aws.lambda.cost_usd` is the whole, `aws.lambda.cost.*` its parts. Must
not know how a cost comes about.
"""

from collections.abc import Mapping

from logger_extension.policy.cost import PICO, Cost, Unpriced

# Parts by the name that they have in attributes, here and in the metric.
PARTS = ("handler", "init", "extension")


def split_usd(cost: Cost) -> dict[str, float]:
    """Return the parts in USD, by name."""
    amounts = (cost.handler_pico_usd, cost.init_pico_usd, cost.extension_pico_usd)
    return {part: amount / PICO for part, amount in zip(PARTS, amounts, strict=True)}


def describe_cost(cost: Cost | Unpriced) -> Mapping[str, str | float]:
    """Return the attributes of the SERVER span: a figure with its parts, or why there is none."""
    if isinstance(cost, Unpriced):
        return {"aws.lambda.cost.missing_reason": cost.reason.value}
    parts = {f"aws.lambda.cost.{part}_usd": usd for part, usd in split_usd(cost).items()}
    return {"aws.lambda.cost_usd": cost.total_usd, **parts}
