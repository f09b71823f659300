"""What must hold, as ratios to and differences from baselines; never a time by itself.

Pure. A bound looks at the median of one run. Those of `startup` and `pipeline` are 1.25 times what
was recorded when they were set (1.10, 1.21): they see a change for the worse of a quarter. The
others are promises: what the extension may cost at most.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.frame import Row, draw_effect
from logger_extension_cli.bench.comparison import describe


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The most that an effect may be.

    Attributes:
        case: as in `Measurement`.
        subject: the same.
        most: of the median effect.
        parameters: those that a measurement must have; it may have others.
    """

    case: str
    subject: str
    most: float
    parameters: Mapping[str, str | int | float] = field(default_factory=dict)

    def applies(self, row: Row) -> bool:
        """Whether a row is one of those that it speaks of."""
        measured = row.measured
        return (
            (measured.case, measured.subject) == (self.case, self.subject)
            and row.effect is not None
            and self.parameters.items() <= measured.parameters.items()
        )


BOUNDS: Sequence[Bound] = (
    Bound(case="startup", subject="launcher", most=1.4),
    Bound(case="startup_of_python", subject="launcher", most=0.25),
    Bound(case="cold_start_init", subject="ours", most=10.0, parameters={"runtime": "150 ms"}),
    Bound(case="pipeline", subject="ours", most=1.5),
    Bound(case="growth", subject="ours", most=0.05),
    Bound(case="after_handler", subject="ours overlap", most=1.0, parameters={"cpu": "all"}),
    Bound(case="cpu_taken", subject="ours", most=5.0, parameters={"memory_mb": 512}),
    *(
        Bound(
            case="cpu_taken",
            subject="ours",
            most=2.0,
            parameters={"memory_mb": 1_769, "lines": lines},
        )
        for lines in (10, 1_000)
    ),
)


def find_missed(rows: Sequence[Row], bounds: Sequence[Bound] = BOUNDS) -> list[str]:
    """Return a sentence for each row over its bound."""
    return [
        f"{describe(row.measured)} is {draw_effect(row)[0]} of {row.measured.baseline}:"
        f" at most {bound.most:g}"
        for bound in bounds
        for row in rows
        if bound.applies(row) and row.effect is not None and row.effect.median > bound.most
    ]
