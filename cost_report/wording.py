"""Figures as words. Pure; must not know what the figures are of."""

from cost_report.values import Interval

# From this spread on, a share, one and two digits are noise.
_ROUGH, _FINE = 0.01, 0.001


def say_percent(share: float, spread: float = 1.0) -> str:
    """Return a share in percent, with as many digits as `spread`, a share too, makes sense of."""
    digits = 0 if spread >= _ROUGH else 1 if spread >= _FINE or not spread else 2
    return f"{share * 100:.{digits}f} %"


def say_change(share: float, spread: float = 1.0) -> str:
    """Return `12 % less`, `3 % more` or `0 % more`."""
    return f"{say_percent(abs(share), spread)} {'less' if share < 0 else 'more'}"


def say_range(change: Interval) -> str:
    """Return `12 % ± 3 % less`, or, where the range is lopsided, `12 % less (9 % to 20 % less)`."""
    above, below = change.high - change.estimate, change.estimate - change.low
    spread = max(above, below)
    if not spread:
        return say_change(change.estimate, spread)
    estimate = say_change(change.estimate, spread)
    if change.low * change.high > 0 and min(above, below) > spread * 2 / 3:
        share, direction = estimate.rsplit(" ", 1)
        return f"{share} ± {say_percent(spread, spread)} {direction}"
    return f"{estimate} ({say_bounds(change)})"


def say_bounds(change: Interval) -> str:
    """Return `9 % to 20 % less`, or `4 % less to 9 % more`: the smaller change first."""
    spread = change.high - change.low
    near, far = sorted((change.low, change.high), key=abs)
    if change.low * change.high >= 0:
        direction = "less" if change.low + change.high < 0 else "more"
        return f"{say_percent(abs(near), spread)} to {say_percent(abs(far), spread)} {direction}"
    return f"{say_change(change.low, spread)} to {say_change(change.high, spread)}"
