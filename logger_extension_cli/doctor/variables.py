"""The variables that the extension reads, where the value of each comes from, and likely slips.

Owns the table `variables.toml` beside this file; a test compares it with docs/configuration.md.
The rules of which variable replaces which are those of `logger_extension.config`, and a test holds
them against it. Must not know what a value means.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from logger_extension.config import OWN_EXPORTER, SIGNALS

STANDARD_EXPORTER = "OTEL_EXPORTER_OTLP_"
OWN = "LOGGER_EXTENSION_"

# Beside ours, what a name must be like to count as a slip: variables of SDKs share many letters.
LIKENESS_OF_OWN, LIKENESS = 0.6, 0.9
BEGINNINGS = ("OTEL", "OTLP", "LOGGER")

# Other names of the specification that are like some of ours; SDKs read them.
# https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
STANDARD = frozenset(
    {
        *(f"OTEL_BSP_{name}" for name in ("SCHEDULE_DELAY", "EXPORT_TIMEOUT", "MAX_QUEUE_SIZE")),
        *(f"OTEL_BLRP_{name}" for name in ("EXPORT_TIMEOUT", "MAX_QUEUE_SIZE")),
        *(f"OTEL_{name}_MAX_EXPORT_BATCH_SIZE" for name in ("BSP", "BLRP")),
        *("OTEL_METRIC_EXPORT_TIMEOUT", "OTEL_EXPORTER_OTLP_SPAN_INSECURE"),
        "OTEL_EXPORTER_OTLP_METRIC_INSECURE",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One variable.

    Attributes:
        name: its name.
        default: what holds when it is not set, in words.
        meaning: one sentence.
        is_variant: whether it stands in for another variable.
    """

    name: str
    default: str
    meaning: str
    is_variant: bool = False


def _read_table() -> Iterator[Variable]:
    table = tomllib.loads(Path(__file__).with_name("variables.toml").read_text())
    for name, row in table.items():
        variable = Variable(name=name, default=row["default"], meaning=row["meaning"])
        variants = [variable]
        for signal in SIGNALS if row.get("signals") else ():
            option = name.removeprefix(STANDARD_EXPORTER)
            variants.append(
                Variable(
                    name=f"{STANDARD_EXPORTER}{signal}_{option}",
                    default="the general one",
                    meaning=f"The same for {signal.lower()} alone.",
                    is_variant=True,
                )
            )
        yield from variants
        for each in variants:
            if each.name.startswith(STANDARD_EXPORTER):
                own = each.name.replace(STANDARD_EXPORTER, OWN_EXPORTER, 1)
                yield replace(each, name=own, default="the standard one", is_variant=True)


VARIABLES: Mapping[str, Variable] = {each.name: each for each in _read_table()}


def is_set(name: str, environ: Mapping[str, str]) -> bool:
    """Return whether a variable says anything: empty is unset, as the specification demands."""
    return bool(environ.get(name, "").strip())


def find_replacement(name: str, environ: Mapping[str, str]) -> str:
    """Return the variable that counts in place of one that is set, empty when that one counts."""
    if not name.startswith(STANDARD_EXPORTER):
        return ""
    option = name.removeprefix(STANDARD_EXPORTER)
    signal, _, rest = option.partition("_")
    # Ours wins over the standard one; ours for all signals over the standard one for a signal.
    candidates = [option, rest] if signal in SIGNALS and rest else [option]
    own = (f"{OWN_EXPORTER}{each}" for each in candidates)
    return next((each for each in own if is_set(each, environ)), "")


def find_exceptions(name: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the signals for which a general variable does not count, with the one that does."""
    prefix = OWN_EXPORTER if name.startswith(OWN_EXPORTER) else STANDARD_EXPORTER
    if not name.startswith(prefix) or name.removeprefix(prefix).partition("_")[0] in SIGNALS:
        return {}
    prefixes = (OWN_EXPORTER,) if prefix == OWN_EXPORTER else (OWN_EXPORTER, STANDARD_EXPORTER)
    exceptions = {}
    for signal in SIGNALS:
        names = [f"{each}{signal}_{name.removeprefix(prefix)}" for each in prefixes]
        if found := next((n for n in names if n in VARIABLES and is_set(n, environ)), ""):
            exceptions[signal.lower()] = found
    return exceptions


def find_slips(environ: Mapping[str, str]) -> dict[str, str]:
    """Return names that look like slips, with the one that is probably meant, empty for none."""
    slips = {}
    for name in sorted(environ):
        upper = name.upper()
        is_own = upper.startswith(OWN)
        if name in VARIABLES or name in STANDARD or not upper.startswith(BEGINNINGS):
            continue
        likeness = LIKENESS_OF_OWN if is_own else LIKENESS
        nearest = get_close_matches(upper, VARIABLES, n=1, cutoff=likeness)
        if nearest or is_own:
            slips[name] = nearest[0] if nearest else ""
    return slips
