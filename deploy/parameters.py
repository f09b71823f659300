"""What can be set when the layer is attached to a function: the one table, read from its file.

The CDK construct, the SAM template and the Terraform module each have exactly these parameters, and
tests compare all three with this table, so that they cannot drift. Owns names, types, choices and
the variables that they become (docs/configuration.md says what each variable means).
Must not know any of the three tools.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

# Our own names for OTLP's variables: then the function's SDK does not see them.
STANDARD_PREFIX, OWN_PREFIX = "OTEL_EXPORTER_OTLP_", "LOGGER_EXTENSION_EXPORTER_OTLP_"

Value: TypeAlias = str | float | Sequence[str] | Mapping[str, str] | None

TABLE = Path(__file__).with_name("parameters.toml")


class Kind(StrEnum):
    """What a value is, and how it is written into its variable."""

    TEXT = "text"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"  # written out in digits, never as 2e-07
    LIST = "list"  # joined by commas
    MAP = "map"  # name=value, joined by commas; values percent-encoded


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter.

    Attributes:
        name: in snake_case as CDK (Python) and Terraform have it; `pascal` is SAM's.
        kind: what a value is.
        variable: what it sets; empty where it sets no variable by itself, `meaning` says what then.
            Unset leaves the variable unset, and the extension's own default stands.
        choices: the only values; empty for any.
        meaning: one sentence for all three tools' documentation.
        required: whether it must be given.
    """

    name: str
    kind: Kind
    meaning: str
    variable: str = ""
    choices: tuple[str, ...] = ()
    required: bool = False

    @property
    def pascal(self) -> str:
        """The name in PascalCase."""
        return "".join(word.capitalize() for word in self.name.split("_"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a function runs; each may stand for what is known only when it is deployed.

    Attributes:
        partition: `aws`, `aws-cn` and so on.
        suffix: of its host names: `amazonaws.com`, in China `amazonaws.com.cn`.
        region: the region's name.
        account: the account's number.
    """

    partition: str
    suffix: str
    region: str
    account: str


def is_given(value: Value) -> bool:
    """Return whether a value counts: None, False and what is empty do not, 0 does."""
    if value is None or value is False:
        return False
    return isinstance(value, int | float) or len(value) > 0


def as_map(value: Value) -> Mapping[str, str]:
    """Return a map as it is, an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: Value) -> Sequence[str]:
    """Return a list as it is, an empty one for anything else."""
    return value if isinstance(value, Sequence) and not isinstance(value, str) else []


def _read(row: dict[str, Any]) -> Parameter:
    typed = {"kind": Kind(row["kind"]), "choices": tuple(row.get("choices", ()))}
    return Parameter(**row | typed)


PARAMETERS = tuple(_read(row) for row in tomllib.loads(TABLE.read_text())["parameter"])
