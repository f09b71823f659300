"""One line of a benchmark's results: what was measured, of what, and all values.

Owns the shape of a JSON line, so that runs can be kept and compared. Must not know how anything is
measured.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Relation = Literal["ratio", "difference"]
Parameters = Mapping[str, str | int | float]
RELATIONS = get_args(Relation)

# Case, subject and parameters: what one line of a run shares with one line of another.
Key = tuple[str, str, tuple[tuple[str, str | int | float], ...]]


class MeasurementError(ValueError):
    """A line that is no measurement; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What one subject took in one case. Less is better in all of them.

    Attributes:
        case: what was measured, such as `after_handler`.
        subject: what it was measured of; equal to `baseline` for the baseline itself.
        baseline: the subject that it is compared with; its values are those of the same rounds.
        parameters: what a case was run with, such as `{"round_trip_ms": 20}`.
        unit: of the values, such as `ms`.
        relation: how it is compared: as `ratio` to the baseline or as `difference` from it.
        values: one a round, in the order of the rounds. Rounds are interleaved.
        least_change: in the unit of `relation` (1 for a ratio): less is of no use to anybody.
        machine: what it ran on.
        commit: what was measured; ends with `+` where files were changed since.
    """

    case: str
    subject: str
    baseline: str
    parameters: Parameters
    unit: str
    relation: Relation
    values: Sequence[float]
    least_change: float = 0.0
    machine: Mapping[str, Any] = field(default_factory=dict)
    commit: str = ""

    @property
    def key(self) -> Key:
        """What makes two lines of two runs the same measurement."""
        return (self.case, self.subject, tuple(sorted(self.parameters.items())))

    @property
    def baseline_key(self) -> Key:
        """The key of what it is compared with."""
        return (self.case, self.baseline, self.key[2])

    def to_line(self) -> str:
        """Return it as one line of JSON, without the line feed."""
        document = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(document, separators=(",", ":"))


def read_measurement(line: str) -> Measurement:
    """Return what a line of JSON says.

    Raises:
        MeasurementError: it is not JSON, lacks a field, or a field is of another type.
    """
    try:
        document = json.loads(line)
        values = [float(value) for value in document["values"]]
        relation = document["relation"]
        if not values or relation not in RELATIONS:
            raise MeasurementError(f"needs values, and a relation of {', '.join(RELATIONS)}")
        return Measurement(
            case=str(document["case"]),
            subject=str(document["subject"]),
            baseline=str(document["baseline"]),
            parameters=dict(document["parameters"]),
            unit=str(document["unit"]),
            relation=relation,
            values=values,
            least_change=float(document.get("least_change", 0.0)),
            machine=dict(document.get("machine", {})),
            commit=str(document.get("commit", "")),
        )
    except json.JSONDecodeError as error:
        raise MeasurementError(f"is not JSON: {error.msg}") from error
    except KeyError as error:
        raise MeasurementError(f"has no field {error}") from error
    except (TypeError, ValueError) as error:
        raise MeasurementError(str(error)) from error


def read_measurements(lines: Iterable[str]) -> Iterator[Measurement]:
    """Yield one measurement a line; empty lines are skipped.

    Raises:
        MeasurementError: with the number of the line.
    """
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield read_measurement(line)
            except MeasurementError as error:
                raise MeasurementError(f"line {number} {error}") from error
