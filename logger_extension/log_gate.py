"""Which log lines go on to their queue: rules for each line, and sampling by invocation.

State: the lines that are held back until their invocation is decided (in `LogSampling`), and how
many did not pass, by reason. What the user asked to leave out is counted, but is no loss. Must not
know how lines are encoded or sent.
"""

from collections import Counter
from collections.abc import Callable

from logger_extension.policy.facts import InvocationFacts
from logger_extension.policy.log_sampling import LogSampling, SamplingRules
from logger_extension.signals.log_rules import LogRules, get_severity
from logger_extension.signals.logs import LogLine, measure


class LogGate:
    """Lets lines pass.

    Args:
        rules: what each line must be like.
        sampling: which invocations' lines are kept, None for all.
        max_held_bytes: the most that is held back.
        put: queues a line that passes.

    Attributes:
        left_out: how many lines did not pass, by reason.
    """

    def __init__(
        self,
        rules: LogRules,
        sampling: SamplingRules | None,
        max_held_bytes: int,
        put: Callable[[LogLine, int], None],
    ) -> None:
        self._rules = None if rules.are_off else rules
        self._sampling: LogSampling[LogLine] | None = None
        # Only the report tells the price: without that rule the runtime's end is enough to decide.
        self._awaits_cost = sampling is not None and sampling.expensive_usd is not None
        if sampling is not None:
            self._sampling = LogSampling(sampling, max_held_bytes)
        self._put = put
        self.left_out: Counter[str] = Counter()

    def take(self, line: LogLine) -> None:
        """Take one line: it goes on, waits for its invocation's end, or is left out."""
        if self._rules is not None and (reason := self._rules.find_reason(line.log)):
            self.left_out[reason] += 1
            return
        size_bytes = measure(line.log)
        if self._sampling is None:
            self._put(line, size_bytes)
            return
        request_id = line.invocation.request_id if line.invocation is not None else ""
        self._pass(self._sampling.put(request_id, line, size_bytes, get_severity(line.log)))

    def finish(self, facts: InvocationFacts) -> None:
        """Note that an invocation's runtime is done."""
        if self._sampling is not None and not self._awaits_cost:
            self._pass(self._sampling.decide(facts))

    def report(self, facts: InvocationFacts, cost_usd: float | None) -> None:
        """Note that all is known of an invocation, with its price if there is one."""
        if self._sampling is not None and self._awaits_cost:
            self._pass(self._sampling.decide(facts, cost_usd))

    def release(self) -> None:
        """Let pass what is still held back: at the end nothing is decided any more."""
        if self._sampling is not None:
            self._pass(self._sampling.release_all())

    def _pass(self, lines: list[LogLine]) -> None:
        if self._sampling is not None:
            self.left_out["sampling"] = self._sampling.dropped
        for line in lines:
            self._put(line, measure(line.log))
