"""Faults of the collector and of the way to it, each played on the running whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.faults import answers
from tests.support.faults.certificates import worlds
from tests.support.faults.figures import Fault, Figures, Required
from tests.support.faults.layers import Resolver, stage_with_resolver
from tests.support.faults.partial import reject_last
from tests.support.faults.trial import Trial, run_trial

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

BEFORE, DURING, AFTER = 2, 5, 2

# LOGGER_EXTENSION_COLLECTOR_BUDGET_MS and the least telemetry buffer, three times: the figure is
# the table's, the bound only tells a budget from none.
MOST_MEDIAN_MS = 3 * (100 + 25)

GARBAGE = b"\x16\x03\x01 this is no TLS\r\n\r\n"
SLOW_S = 0.3


def playing(
    begin: Callable[[Trial], Awaitable[None]],
    end: Callable[[Trial], Awaitable[None]] | None,
    *,
    takes: bool = False,
    text: str = "",
) -> Callable[[Path], Awaitable[Figures]]:
    """Return what plays a fault: some invocations before, during and after it.

    Args:
        begin: switches the fault on.
        end: switches it off; without, it lasts beyond SHUTDOWN.
        takes: whether something reaches the collector during the fault.
        text: makes the lines longer.
    """

    async def play(folder: Path) -> Figures:
        async with run_trial(folder) as trial:
            await meet(trial, begin, end, takes=takes, text=text)
            return await trial.finish()

    return play


async def meet(
    trial: Trial,
    begin: Callable[[Trial], Awaitable[None]],
    end: Callable[[Trial], Awaitable[None]] | None,
    *,
    takes: bool = False,
    text: str = "",
) -> None:
    """Invoke before, during and after a fault."""
    await trial.invoke_often(BEFORE)
    await begin(trial)
    arrived = len(trial.collector.store.logs)
    trial.is_faulty = True
    await trial.invoke_often(DURING, text=text)
    trial.is_faulty = False
    assert takes or len(trial.collector.store.logs) == arrived, "the fault was none"
    if end is not None:
        await end(trial)
        await trial.invoke_often(AFTER)


def switching(fault: answers.Fault) -> Callable[[Trial], Awaitable[None]]:
    """Return what plays a fault of answers until told otherwise."""

    async def begin(trial: Trial) -> None:
        trial.proxy.play(fault)

    return begin


async def heal(trial: Trial) -> None:
    """No fault any more."""
    trial.proxy.heal()


async def refuse(trial: Trial) -> None:
    """Refuse connections."""
    await trial.proxy.refuse()


async def listen(trial: Trial) -> None:
    """Accept connections again."""
    await trial.proxy.listen()


async def lose_answers(folder: Path, fault: answers.Fault, times: int) -> Figures:
    """Lose the answers of the next requests only."""
    async with run_trial(folder) as trial:
        await trial.invoke_often(BEFORE)
        trial.proxy.play(trial.losing(fault), times=times)
        trial.is_faulty = True
        await trial.invoke_often(DURING)
        trial.is_faulty = False
        await trial.invoke_often(AFTER)
        return await trial.finish()


def lasting(
    name: str,
    fault: answers.Fault | None,
    required: Required | None = None,
    *,
    takes: bool = False,
    text: str = "",
) -> list[Fault]:
    """Return a fault twice: it ends, and it does not. None is a refused connection."""
    begin = refuse if fault is None else switching(fault)
    end = listen if fault is None else heal
    required = required or Required(median_ms=MOST_MEDIAN_MS)
    ways = {"comes back": end, "stays away": None}
    return [
        Fault(
            name=f"{name}, {way}",
            play=playing(begin, ending, takes=takes, text=text),
            required=required,
        )
        for way, ending in ways.items()
    ]


def losing(name: str, fault: answers.Fault) -> Fault:
    """Return a fault of two requests, each of which may come twice."""

    async def play(folder: Path) -> Figures:
        return await lose_answers(folder, fault, times=2)

    return Fault(name=name, play=play)


async def play_a_limit(folder: Path) -> Figures:
    """The collector takes no request above 64 KiB; an invocation has 200 KB of lines."""
    environ = {"OTEL_EXPORTER_OTLP_COMPRESSION": "none"}
    async with run_trial(folder, environ=environ) as trial:
        await trial.invoke_often(BEFORE)
        trial.proxy.play(answers.refuse_larger(64 * 1024))
        trial.is_faulty = True
        await trial.invoke_often(DURING, lines=200, text="y" * 1_000)
        trial.is_faulty = False
        return await trial.finish()


async def play_slow_names(folder: Path) -> Figures:
    """The collector's name is not resolved for a while; then it is."""
    resolver = Resolver(folder / "resolver")
    resolver.hang()
    extensions = stage_with_resolver(folder, resolver)
    async with run_trial(folder, extensions=extensions, host=resolver.host) as trial:
        trial.is_faulty = True
        await trial.invoke_often(DURING)
        trial.is_faulty = False
        assert trial.proxy.connections == 0, "the fault was none"
        resolver.answer()
        await trial.invoke_often(AFTER)
        return await trial.finish()


def breaking_tls(
    begin: Callable[[Trial], Awaitable[None]],
) -> Callable[[Path], Awaitable[Figures]]:
    """Return what plays a fault of TLS, and its end."""

    async def play(folder: Path) -> Figures:
        right, _ = worlds(folder)
        environ = {"OTEL_EXPORTER_OTLP_CERTIFICATE": right.file("authority.pem")}
        context = right.make_server_context(asks_client=False)
        async with run_trial(folder, environ=environ, tls=context) as trial:

            async def end(trial: Trial) -> None:
                trial.proxy.heal()
                await trial.proxy.listen(tls=context)

            await meet(trial, begin, end)
            return await trial.finish()

    return play


async def show_wrong_certificate(trial: Trial) -> None:
    """Present the certificate of an authority that nobody trusts."""
    _, wrong = worlds(trial.folder)
    await trial.proxy.listen(tls=wrong.make_server_context(asks_client=False))


async def speak_no_tls(trial: Trial) -> None:
    """Send garbage and hang up."""
    trial.proxy.greeting = GARBAGE
    await trial.proxy.listen()


def find_faults() -> list[Fault]:
    """Return all faults of this module."""
    refused = [
        fault
        for status in (400, 401, 500)
        for fault in lasting(f"collector answers {status}", answers.refuse_with(status))
    ]
    waiting = [
        *lasting(
            "collector answers 429, Retry-After in seconds",
            answers.refuse_with(429, retry_after_s=1),
        ),
        *lasting(
            "collector answers 429, Retry-After as a date",
            answers.refuse_with(429, retry_after_s=2, as_date=True),
        ),
        *lasting("collector answers 503", answers.refuse_with(503)),
    ]
    return [
        *lasting("collector refuses connections", None),
        *lasting("collector hangs", answers.hang),
        *lasting("collector does not read", answers.stay_deaf, text="x" * 2_000),
        *lasting("collector resets in mid-body", answers.reset_in_request),
        losing("collector resets in mid-answer, twice", answers.reset_in_answer),
        losing("answer lost, twice", answers.lose_answer),
        *refused,
        *waiting,
        Fault(
            name="collector answers 413 above a size",
            play=play_a_limit,
        ),
        Fault(
            name="collector takes a part: rejects 1 line a request",
            play=playing(switching(reject_last(1)), heal, takes=True),
            # What the collector rejects is the collector's to keep: it must not be sent again.
            required=Required(lost=DURING),
        ),
        Fault(
            name=f"collector answers after {SLOW_S * 1_000:.0f} ms",
            play=playing(switching(answers.delay(SLOW_S)), heal, takes=True),
            # It answers, but later than an invocation waits for one that has been quick so far.
            required=Required(median_ms=3 * (SLOW_S * 1_000 + 25)),
        ),
        Fault(
            name="line to the collector carries 2 kB/s",
            play=playing(switching(answers.throttle(2_000)), heal, takes=True),
        ),
        Fault(
            name="name of the collector is not resolved",
            play=play_slow_names,
            required=Required(median_ms=MOST_MEDIAN_MS),
        ),
        Fault(name="certificate of a stranger", play=breaking_tls(show_wrong_certificate)),
        Fault(name="no TLS at the other end", play=breaking_tls(speak_no_tls)),
    ]
