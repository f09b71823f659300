"""When telemetry is sent: at the end of an invocation, beside a handler, or later.

Pure: a decision follows from the settings and a `Situation`, each with its reason. At INVOKE
`decide_invocation` says how the invocation goes, while handlers run `decide_beside` says whether a
request goes out now, and at SHUTDOWN `plan_shutdown` divides the time that is left. No decision
starts work past the limit. Must not know what is sent, nor how.

    end      wait for the runtime's end, send, then `next`: freshest; the wait is billed
    beside   `next` at once; what waits goes out while handlers run: nothing is billed
    later    `next` at once; what comes is kept
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from logger_extension.deadline import Deadline

# Lambda delivers a quiet stream so long after its first event: the least that `end` waits for.
TELEMETRY_BUFFER_MS = 25.0

# A flush that takes no more than this share of the time between invocations is worth its price.
WORTH_SHARE = 0.01

# From here on a buffer is emptied whatever else holds: the next thing would be a loss.
FULL_SHARE = 0.5

# At SHUTDOWN: how long the last report is waited for. Lambda delivers it within a few milliseconds
# or not at all.
LAST_REPORT_WAIT_MS = 50.0

# Shares of the time that SHUTDOWN leaves: for writing down what is undelivered (at least; see
# `find_reserve_ms`), and for nothing.
FALLBACK_SHARE, FALLBACK_LEAST_MS = 0.1, 100.0
MARGIN_SHARE = 0.1

# What one record takes to be written down on a whole vCPU, twice what was measured; and the most
# that is set aside for all: the other half is for sending.
FALLBACK_MS_PER_RECORD, FALLBACK_MOST_MS = 0.02, 800.0


class Policy(StrEnum):
    """What the user asks for."""

    AUTO = "auto"
    END = "end"
    OVERLAP = "overlap"
    PERIODIC = "periodic"


class Action(StrEnum):
    """What is done with what waits."""

    END = "end"
    BESIDE = "beside"
    LATER = "later"


class Reason(StrEnum):
    """Why; for people and for metrics."""

    ASKED = "asked"
    NO_TIME = "no_time_left"
    COLLECTOR_AWAY = "collector_away"
    COLLECTOR_SLOW = "collector_slow"
    UNKNOWN_RHYTHM = "unknown_rhythm"
    RARE = "rare_invocations"
    CHEAP = "cheap"
    SPARE_CPU = "spare_cpu"
    SENT_RECENTLY = "sent_recently"
    GETTING_OLD = "getting_old"
    BUFFER_FILLS = "buffer_fills"
    FULL_REQUEST = "full_request"
    YOUNG = "young"
    NOTHING_WAITS = "nothing_waits"


class Decision(NamedTuple):
    """What to do, and why."""

    action: Action
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class FlushRules:
    """What the user has set.

    Attributes:
        policy: when to send.
        interval_ms: the least pause between two flushes beside handlers; what `periodic` names.
        staleness_limit_ms: how old data may get while invocations come, for `auto`.
    """

    policy: Policy = Policy.AUTO
    interval_ms: float = 1_000.0
    staleness_limit_ms: float = 10_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a decision depends on. Times in milliseconds, by the wall clock.

    Attributes:
        now_ms: the time.
        limit_ms: until when work may last: Lambda's deadline less a margin.
        gap_ms: expected gap between invocations, None while unknown.
        flush_ms: how long a flush takes, as measured; None before the first.
        since_flush_ms: since the last flush began; infinite before the first.
        has_waiting: whether anything waits.
        age_ms: of the oldest data that waits, 0 when none does.
        fill: how full the fullest buffer is, 0 to 1.
        has_full_request: whether as much waits as one request may hold.
        has_spare_cpu: whether work beside a handler does not slow it.
        is_away: whether the collector does not answer, and is not to be asked now.
        is_slow: whether the collector has not answered within the budget of an invocation.
    """

    now_ms: float
    limit_ms: float
    gap_ms: float | None = None
    flush_ms: float | None = None
    since_flush_ms: float = float("inf")
    has_waiting: bool = True
    age_ms: float = 0.0
    fill: float = 0.0
    has_full_request: bool = False
    has_spare_cpu: bool = False
    is_away: bool = False
    is_slow: bool = False


def decide_invocation(rules: FlushRules, now: Situation) -> Decision:
    """Return how an invocation goes, when its INVOKE has come."""
    if now.now_ms >= now.limit_ms:
        return Decision(Action.LATER, Reason.NO_TIME)
    if now.is_away:
        # Waiting for the runtime's end would be billed, and for nothing.
        return Decision(Action.LATER, Reason.COLLECTOR_AWAY)
    match rules.policy:
        case Policy.END:
            return Decision(Action.END, Reason.ASKED)
        case Policy.OVERLAP:
            return Decision(Action.BESIDE, Reason.ASKED)
        case Policy.PERIODIC:
            return _at_interval(rules, now, Reason.ASKED)
    return _weigh(rules, now)


def decide_beside(rules: FlushRules, mode: Action, now: Situation) -> Decision:
    """Return whether a request goes out while a handler may be running.

    Args:
        rules: what the user has set.
        mode: how the present invocation goes.
        now: the situation.
    """
    may_work = now.has_spare_cpu or now.is_slow
    reason = Reason.SPARE_CPU if now.has_spare_cpu else Reason.COLLECTOR_SLOW
    return _choose(
        (not now.has_waiting, Decision(Action.LATER, Reason.NOTHING_WAITS)),
        (now.now_ms >= now.limit_ms, Decision(Action.LATER, Reason.NO_TIME)),
        (now.is_away, Decision(Action.LATER, Reason.COLLECTOR_AWAY)),
        (now.fill >= FULL_SHARE, Decision(Action.BESIDE, Reason.BUFFER_FILLS)),
        (
            rules.policy in (Policy.OVERLAP, Policy.PERIODIC),
            _at_interval(rules, now, Reason.ASKED),
        ),
        (not may_work, Decision(Action.LATER, Reason.YOUNG)),
        (now.has_full_request, Decision(Action.BESIDE, Reason.FULL_REQUEST)),
        (
            rules.policy is Policy.AUTO and now.age_ms >= rules.staleness_limit_ms / 2,
            Decision(Action.BESIDE, Reason.GETTING_OLD),
        ),
        # The rest goes when the handler is done, in one request.
        (mode is Action.END, Decision(Action.LATER, Reason.YOUNG)),
        otherwise=_at_interval(rules, now, reason),
    )


def _weigh(rules: FlushRules, now: Situation) -> Decision:
    """Weigh the billed time of a flush now against the age of the data at the next chance.

    Data goes at the first chance after half the limit: as long as invocations, handlers included,
    follow each other within the other half, none gets older than the limit. Without spare CPU a
    chance is the end of a handler, and the one after this may be two gaps away.
    """
    half_ms = rules.staleness_limit_ms / 2
    gap_ms = float("inf") if now.gap_ms is None else now.gap_ms
    is_old = now.age_ms >= min(half_ms, rules.staleness_limit_ms - 2 * gap_ms)
    flush_ms = float("inf") if now.flush_ms is None else now.flush_ms
    is_cheap = TELEMETRY_BUFFER_MS + flush_ms <= WORTH_SHARE * gap_ms
    # More than a request at a time would hold up the next invocation: the less CPU, the longer.
    has_much = now.has_full_request or now.fill >= FULL_SHARE
    return _choose(
        (now.is_slow, Decision(Action.BESIDE, Reason.COLLECTOR_SLOW)),
        (now.gap_ms is None, Decision(Action.END, Reason.UNKNOWN_RHYTHM)),
        (gap_ms > half_ms, Decision(Action.END, Reason.RARE)),
        (is_cheap, Decision(Action.END, Reason.CHEAP)),
        # With spare CPU what is so old was begun beside handlers too short to see its end.
        (
            now.has_spare_cpu and now.age_ms < half_ms,
            _at_interval(rules, now, Reason.SPARE_CPU),
        ),
        (is_old, Decision(Action.END, Reason.GETTING_OLD)),
        (has_much, Decision(Action.END, Reason.FULL_REQUEST)),
        otherwise=Decision(Action.LATER, Reason.YOUNG),
    )


def _choose(*cases: tuple[bool, Decision], otherwise: Decision) -> Decision:
    """Return the decision of the first case that holds."""
    return next((decision for holds, decision in cases if holds), otherwise)


def _at_interval(rules: FlushRules, now: Situation, reason: Reason) -> Decision:
    # One clock stands still in a freeze, the other may be set: the longer of the two counts.
    if max(now.since_flush_ms, now.age_ms) < rules.interval_ms:
        return Decision(Action.LATER, Reason.SENT_RECENTLY)
    return Decision(Action.BESIDE, reason)


class ShutdownPlan(NamedTuple):
    """Until when each part of a shutdown may last."""

    report: Deadline
    send: Deadline
    fallback: Deadline


def plan_shutdown(
    deadline: Deadline, now_ms: float, *, margin_ms: float, has_fallback: bool
) -> ShutdownPlan:
    """Divide what a SHUTDOWN leaves: the last report, sending, writing down what is undelivered.

    Args:
        deadline: Lambda's; what is not over by then is killed.
        now_ms: the time.
        margin_ms: how long before it all must be over; less where little time is left.
        has_fallback: whether what is undelivered is written down.
    """
    left_ms = max(0.0, deadline.epoch_ms - now_ms)
    end = deadline.less(min(margin_ms, MARGIN_SHARE * left_ms))
    reserve_ms = min(FALLBACK_LEAST_MS, FALLBACK_SHARE * left_ms) if has_fallback else 0.0
    send = end.less(reserve_ms)
    report_ms = min(LAST_REPORT_WAIT_MS, MARGIN_SHARE * left_ms)
    return ShutdownPlan(Deadline.after(now_ms, report_ms).earlier(send), send, end)


def find_reserve_ms(records: int, vcpus: float) -> float:
    """Return how much more time than the least it takes to write down so many records."""
    return min(FALLBACK_MOST_MS, records * FALLBACK_MS_PER_RECORD / min(vcpus, 1.0))
