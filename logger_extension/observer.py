"""What is measured and priced of each invocation.

State: the readings of /proc at an INVOKE, the usage until its report comes, and the metrics. The
pipeline tells of an invocation's begin and end, the assembler its facts; metrics come out when they
are due. Must not know queues, flushes, or how /proc is read.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping

from logger_extension.policy.aggregation import Metric
from logger_extension.policy.cost import Cost, Tariff, Unpriced, price_invocation
from logger_extension.policy.facts import InvocationFacts
from logger_extension.policy.features import FeatureCosts
from logger_extension.policy.usage import Counters, Usage
from logger_extension.signals.cost import describe_cost
from logger_extension.signals.metric_instruments import FEATURE_COST
from logger_extension.signals.metrics import InvocationMetrics

# Usage that waits for the report of its invocation, which may never come.
MAX_WAITING = 64


class Observer:
    """Watches invocations.

    Args:
        metrics: what is counted.
        tariff: the prices that hold here, or why there are none.
        features: divides costs by feature; None when nobody asks.
        read_counters: reads what the kernel has counted; None when usage is not to be measured.
        read_usage: reads what was used since.
    """

    def __init__(
        self,
        metrics: InvocationMetrics,
        tariff: Tariff | Unpriced,
        features: FeatureCosts | None,
        read_counters: Callable[[], Counters] | None,
        read_usage: Callable[[Counters], Usage],
    ) -> None:
        self._metrics = metrics
        self._tariff = tariff
        self._features = features
        self._read_counters = read_counters
        self._read_usage = read_usage
        self._before: tuple[str, Counters] | None = None
        self._usage: OrderedDict[str, Usage] = OrderedDict()

    def begin(self, request_id: str) -> None:
        """Note what was used before an invocation."""
        if self._before is not None:
            # Nothing was waited for, so the one before lasted until now.
            self.end(self._before[0])
        if self._read_counters is not None:
            self._before = request_id, self._read_counters()

    def end(self, request_id: str) -> None:
        """Measure what an invocation has used, when its runtime is done."""
        before, self._before = self._before, None
        if before is not None and before[0] == request_id:
            self._usage[request_id] = self._read_usage(before[1])
            if len(self._usage) > MAX_WAITING:
                self._usage.popitem(last=False)

    def observe(self, facts: InvocationFacts) -> Mapping[str, str | float]:
        """Take the facts of an invocation that is over; return attributes for its span."""
        tariff = self._tariff
        cost = tariff if isinstance(tariff, Unpriced) else price_invocation(facts, tariff)
        if self._features is not None and isinstance(cost, Cost):
            for feature, share in self._features.settle(facts, cost).items():
                self._metrics.record(FEATURE_COST, share.usd, (("feature", feature),))
        self._metrics.observe(facts, cost, self._usage.pop(facts.request_id, None))
        return describe_cost(cost)

    def observe_failed_init(self, status: str, time_unix_nano: int) -> None:
        """Count an init that failed."""
        self._metrics.observe_failed_init(status, time_unix_nano)

    def observe_logs_dropped(self, records: int, time_unix_nano: int) -> None:
        """Count what Lambda itself has lost."""
        self._metrics.observe_logs_dropped(records, time_unix_nano)

    def collect(
        self, lost: Mapping[str, int], now_unix_nano: int, *, is_last: bool
    ) -> list[Metric]:
        """Return the metrics that are due; `lost` is what we have lost since the start."""
        dropped = self._features.dropped if self._features is not None else {}
        all_lost = {**lost, **{f"features.{reason}": n for reason, n in dropped.items()}}
        self._metrics.observe_losses(all_lost, now_unix_nano)
        return self._metrics.collect(now_unix_nano, is_last=is_last)
