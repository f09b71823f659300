"""The page on self-telemetry names the metrics that there are."""

import re
from pathlib import Path

from logger_extension.policy.aggregation import Instrument
from logger_extension.signals import metric_instruments

REPOSITORY = Path(__file__).resolve().parents[2]
OWN = ("otel.sdk.", "logger_extension.")


def test_every_metric_of_our_own_is_documented() -> None:
    """Names in the first column of the table are those of the source, both ways."""
    values = list(vars(metric_instruments).values())
    values += [each for value in values if isinstance(value, dict) for each in value.values()]
    names = {value.name for value in values if isinstance(value, Instrument)}
    rows = (REPOSITORY / "docs/self-telemetry.md").read_text().splitlines()
    first_columns = " ".join(row.split("|")[1] for row in rows if row.startswith("| `"))
    documented = set(re.findall(r"`([a-z_.]+)`", first_columns))
    assert documented == {name for name in names if name.startswith(OWN)}
