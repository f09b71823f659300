"""Measurements to data points: what is added up between two collections.

State: one cell an instrument and attribute set, and where the current window began. Bounded: beyond
the cardinality limit all further attribute sets of an instrument share one cell, marked as overflow
(https://opentelemetry.io/docs/specs/otel/metrics/sdk/#cardinality-limits). Time is passed in. Must
not know what is measured, nor OTLP's messages.
"""

from copy import deepcopy
from dataclasses import dataclass
from enum import Enum, IntEnum, auto
from typing import NamedTuple

from logger_extension.policy.histogram import ExplicitHistogram, ExponentialHistogram

# Attribute sets as sorted pairs, so that equal sets are one key.
Attributes = tuple[tuple[str, str | bool], ...]

OVERFLOW: Attributes = (("otel.metric.overflow", True),)


class Kind(Enum):
    """What an instrument does with its measurements.

    A counter adds them up; an up-down counter and a gauge keep the last one, which for the former
    is a part of a whole and may be summed over attributes.
    """

    COUNTER = auto()
    UP_DOWN_COUNTER = auto()
    GAUGE = auto()
    HISTOGRAM = auto()


class Temporality(IntEnum):
    """Whether a point tells of its window or of all time since the start; numbers as in OTLP."""

    DELTA = 1
    CUMULATIVE = 2


@dataclass(frozen=True, slots=True, eq=False)
class Instrument:
    """One metric; a constant of the program, told from others by identity.

    Attributes:
        bounds: of the explicit buckets, for histograms.
    """

    name: str
    kind: Kind
    unit: str
    description: str
    bounds: tuple[float, ...] = ()


PointValue = int | float | ExplicitHistogram | ExponentialHistogram


class Point(NamedTuple):
    """One data point; a histogram in it is no longer written to."""

    attributes: Attributes
    start_unix_nano: int
    time_unix_nano: int
    value: PointValue


class Metric(NamedTuple):
    """The points of one instrument from one collection."""

    instrument: Instrument
    temporality: Temporality
    points: tuple[Point, ...]


class Aggregator:
    """Adds measurements up until they are collected.

    Args:
        start_unix_nano: when measuring began.
        temporality: of counters and histograms; up-down counters are always cumulative.
        is_exponential: whether histograms have exponential buckets.
        cardinality_limit: how many attribute sets an instrument may have between collections (ever,
            when cumulative), the overflow not counted.
    """

    def __init__(
        self,
        *,
        start_unix_nano: int,
        temporality: Temporality,
        is_exponential: bool,
        cardinality_limit: int,
    ) -> None:
        self._start_unix_nano = start_unix_nano
        self._window_start_unix_nano = start_unix_nano
        self._temporality = temporality
        self._is_exponential = is_exponential
        self._cardinality_limit = cardinality_limit
        self._cells: dict[Instrument, dict[Attributes, PointValue]] = {}
        self._has_news = False

    def record(self, instrument: Instrument, value: float, attributes: Attributes = ()) -> None:
        """Take one measurement.

        Args:
            instrument: what was measured.
            value: an increment for a counter, a level for an up-down counter or gauge, a value of
                the distribution for a histogram.
            attributes: sorted pairs.
        """
        cells = self._cells.setdefault(instrument, {})
        if attributes not in cells and len(cells.keys() - {OVERFLOW}) >= self._cardinality_limit:
            attributes = OVERFLOW
        cell = cells.get(attributes)
        if isinstance(cell, ExplicitHistogram | ExponentialHistogram):
            cell.record(value)
        elif instrument.kind is Kind.HISTOGRAM:
            cells[attributes] = self._new_histogram(instrument, value)
        elif instrument.kind is Kind.COUNTER:
            cells[attributes] = (cell or 0) + value
        else:
            cells[attributes] = value
        self._has_news = True

    def collect(self, time_unix_nano: int) -> list[Metric]:
        """Close the window and return its metrics; none when nothing was measured in it.

        Windows follow one another without a gap: each begins where the one before it ended.

        Args:
            time_unix_nano: the end of the window, moved behind its start where it is not.
        """
        if not self._has_news:
            return []
        self._has_news = False
        time_unix_nano = max(time_unix_nano, self._window_start_unix_nano + 1)
        metrics = [
            self._close(instrument, cells, time_unix_nano)
            for instrument, cells in self._cells.items()
        ]
        self._window_start_unix_nano = time_unix_nano
        self._cells = {key: cells for key, cells in self._cells.items() if self._is_kept(key)}
        return metrics

    def _close(
        self, instrument: Instrument, cells: dict[Attributes, PointValue], time_unix_nano: int
    ) -> Metric:
        is_kept = self._is_kept(instrument)
        is_cumulative = is_kept or instrument.kind is Kind.UP_DOWN_COUNTER
        start_unix_nano = self._start_unix_nano if is_cumulative else self._window_start_unix_nano
        points = tuple(
            Point(
                attributes,
                0 if instrument.kind is Kind.GAUGE else start_unix_nano,
                time_unix_nano,
                deepcopy(value) if is_kept else value,
            )
            for attributes, value in cells.items()
        )
        return Metric(
            instrument, Temporality.CUMULATIVE if is_cumulative else Temporality.DELTA, points
        )

    def _is_kept(self, instrument: Instrument) -> bool:
        """Return whether an instrument's cells live on after a collection.

        Levels do not: one that was not measured again is not known any more.
        """
        is_total = instrument.kind in (Kind.COUNTER, Kind.HISTOGRAM)
        return is_total and self._temporality is Temporality.CUMULATIVE

    def _new_histogram(
        self, instrument: Instrument, value: float
    ) -> ExplicitHistogram | ExponentialHistogram:
        histogram = (
            ExponentialHistogram() if self._is_exponential else ExplicitHistogram(instrument.bounds)
        )
        histogram.record(value)
        return histogram
