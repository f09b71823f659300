"""Resending: everything is delivered once or kept, whatever the collector answers."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.policy.outcome import Delivered, Outcome, Refused, TooLarge, Undelivered
from logger_extension_cli import resending
from logger_extension_cli.resending import Means, Resending
from tests.support.export_targets import make_request
from tests.support.extension import read_logs
from tests.support.laws import LAW

AWAY = Undelivered("no answer")


class World:
    """A collector, a rest file and a clock; answers are given or decided by what is sent."""

    def __init__(
        self,
        answers: Iterable[Outcome] = (),
        decide: Callable[[list[str]], Outcome] = lambda _: Delivered(),
    ) -> None:
        self._answers: Iterator[Outcome] = iter(answers)
        self._decide = decide
        self.sent: list[list[str]] = []
        self.delivered: list[str] = []
        self.kept: list[str] = []
        self.complaints: list[str] = []
        self.pauses_s: list[float] = []
        self.resending = Resending(
            Means(self.send, self.keep, self.complaints.append, self.pauses_s.append, 4)
        )

    def send(self, signal: str, body: bytes) -> Outcome:
        """Answer one request."""
        texts = read_texts(body) if signal == "logs" else [signal]
        self.sent.append(texts)
        outcome = next(self._answers, None) or self._decide(texts)
        if isinstance(outcome, Delivered):
            self.delivered += texts
        return outcome

    def keep(self, _signal: str, body: bytes) -> None:
        """Take what is not delivered."""
        self.kept += read_texts(body)

    def add(self, *texts: str) -> None:
        """Hand over a request for each text."""
        for text in texts:
            self.resending.add("logs", make_request("logs", text).SerializeToString())

    def replay(self, *texts: str) -> None:
        """Hand over a request for each text, and finish."""
        self.add(*texts)
        self.resending.finish()


def read_texts(body: bytes) -> list[str]:
    """Return the bodies of a request's records."""
    return [record.body.string_value for record in read_logs(body)]


def test_small_requests_go_together() -> None:
    """One request for all, in order; signals apart."""
    world = World()
    world.resending.add("traces", make_request("traces", "GET").SerializeToString())
    world.replay("a", "b", "c")
    assert world.sent == [["traces"], ["a", "b", "c"]]
    assert world.resending.counts.delivered == {"logs": 3, "traces": 1}
    assert world.resending.counts.is_complete


def test_batches_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would be too much waits for the next one; one that is larger goes alone."""
    monkeypatch.setattr(resending, "BATCH_BYTES", 300)
    world = World()
    texts = ["a" * 100, "b" * 100, "c" * 1_000, "d"]
    world.replay(*texts)
    assert [[text[0] for text in sent] for sent in world.sent] == [["a"], ["b"], ["c"], ["d"]]
    assert world.delivered == texts


def test_tried_again_with_growing_pauses() -> None:
    """What is delivered at last is delivered once."""
    world = World([AWAY, AWAY, AWAY])
    world.replay("a", "b")
    assert world.sent == [["a", "b"]] * 4
    assert (world.delivered, world.kept) == (["a", "b"], [])
    for pause_s, longest_s in zip(world.pauses_s, (1, 2, 4), strict=True):
        assert 0 <= pause_s <= longest_s


@pytest.mark.parametrize(("asked_ms", "least_s"), [(7_000, 7), (3_600_000, 60)])
def test_the_collector_is_waited_for(asked_ms: int, least_s: int) -> None:
    """As long as it asks for, up to a minute."""
    world = World([Undelivered("busy", asked_ms)])
    world.replay("a")
    assert least_s <= world.pauses_s[0] <= least_s + 1


def test_a_collector_that_is_away() -> None:
    """After the last try nothing more is sent, and all the rest is kept, in order."""
    world = World(decide=lambda _: AWAY)
    world.add("a", "b")
    world.resending.finish()
    world.replay("c")
    assert world.sent == [["a", "b"]] * 4
    assert world.kept == ["a", "b", "c"]
    assert world.resending.counts.undelivered == {"logs": 3}
    assert world.complaints == [
        "logs: no answer; trying again",
        "logs: no answer; nothing more is sent",
    ]


def test_one_bad_request_costs_itself() -> None:
    """The others of its batch are delivered, each once."""
    world = World(decide=lambda texts: Refused("HTTP 400") if "bad" in texts else Delivered())
    texts = [f"{n}" for n in range(20)]
    world.replay(*texts[:7], "bad", *texts[7:])
    assert (world.delivered, world.kept) == (texts, ["bad"])
    counts = world.resending.counts
    assert (counts.delivered, counts.undelivered) == ({"logs": 20}, {"logs": 1})
    assert not counts.is_complete


def test_a_collector_that_takes_nothing() -> None:
    """It is not asked for each of a thousand requests."""
    world = World(decide=lambda _: Refused("HTTP 401"))
    texts = [f"{n}" for n in range(1_000)]
    world.replay(*texts)
    assert len(world.sent) < 20
    assert world.kept == texts


def test_too_large_requests_are_divided() -> None:
    """Down to the single records of one request."""
    world = World(decide=lambda texts: TooLarge("HTTP 413") if len(texts) > 2 else Delivered())
    texts = [f"{n}" for n in range(9)]
    body = b"".join(make_request("logs", text).SerializeToString() for text in texts)
    world.resending.add("logs", body)
    world.resending.finish()
    assert (world.delivered, world.kept) == (texts, [])
    assert world.sent[0] == texts


def test_a_record_that_is_too_large_by_itself() -> None:
    """It is kept."""
    world = World([TooLarge("HTTP 413")])
    world.replay("a")
    assert (world.kept, world.sent) == (["a"], [["a"]])


def test_taken_in_part() -> None:
    """What was rejected is told and not sent again: the others are there already."""
    world = World([Delivered(2, "too old")])
    world.replay("a", "b", "c")
    counts = world.resending.counts
    assert (counts.delivered, counts.rejected) == ({"logs": 1}, {"logs": 2})
    assert world.kept == []
    assert not counts.is_complete
    assert world.complaints == ["logs: taken in part: too old"]


def test_nobody_wants_it() -> None:
    """Kept and counted without a try."""
    world = World()
    world.resending.keep("logs", make_request("logs", "a").SerializeToString())
    assert (world.kept, world.sent) == (["a"], [])
    assert world.resending.counts.undelivered == {"logs": 1}


def test_interrupted() -> None:
    """What was being sent and what waited is kept."""

    def interrupt(_: list[str]) -> Outcome:
        raise KeyboardInterrupt

    world = World(decide=interrupt)
    world.add("a", "b")
    with pytest.raises(KeyboardInterrupt):
        world.resending.finish()
    world.add("c")
    world.resending.abandon()
    assert world.kept == ["a", "b", "c"]
    assert world.resending.counts.undelivered == {"logs": 3}


outcomes = st.sampled_from(
    [Delivered(), Delivered(), AWAY, Refused("HTTP 400"), TooLarge("HTTP 413")]
)


@LAW
@given(st.lists(st.integers(1, 4), max_size=12), st.lists(outcomes, max_size=40))
def test_everything_is_delivered_or_kept_once(sizes: list[int], answers: list[Outcome]) -> None:
    """Whatever is answered, in whatever order."""
    world = World(answers)
    texts: list[str] = []
    for size in sizes:
        own = [f"{len(texts) + n}" for n in range(size)]
        texts += own
        body = b"".join(make_request("logs", text).SerializeToString() for text in own)
        world.resending.add("logs", body)
    world.resending.finish()
    assert Counter(world.delivered + world.kept) == Counter(texts)
    counts = world.resending.counts
    assert counts.found.total() == len(texts)
    assert counts.delivered.total() == len(world.delivered)
    assert counts.undelivered.total() == len(world.kept)
