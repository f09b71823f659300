"""What a scenario of the differential tests is: who does what, and what everybody sees of it.

Each scenario was played on AWS's emulator; its story is what was seen there, and what must be seen
in our sandbox too. Owns: the vocabulary; the stories are in `rie_scenarios_*.py`. Must not know the
worlds they are played in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from tests.support.probe_steps import Step, register, serve

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from tests.support.rie_worlds import Cast, World

Act: TypeAlias = "Callable[[World], Awaitable[object]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A cast, what is done with it from outside, and what everybody then tells.

    *races* are the chapters that AWS's emulator itself tells now in one way and now in another.
    """

    cast: Cast
    acts: Sequence[Act]
    story: Mapping[str, str]
    races: tuple[str, ...] = ()

    async def play(self, world: World) -> dict[str, str]:
        """Do it; gives what is told afterwards."""
        for act in self.acts:
            await act(world)
        told = world.story().chapters()
        return {chapter: told[chapter] for chapter in told if chapter not in self.races}


def invoke(*steps: Step) -> Act:
    """The function is invoked; its runtime does *steps*."""
    return lambda world: world.invoke(*steps)


def invoke_together(count: int, *steps: Step) -> Act:
    """The function is invoked several times at once."""
    return lambda world: world.invoke_together(count, *steps)


def seen(actor: str, saw: str, times: int = 1) -> Act:
    """A process has got so far."""
    return lambda world: world.seen(actor, saw, times)


def kill(actor: str) -> Act:
    """A process is killed between two invocations."""

    async def act(world: World) -> None:
        await world.settle()
        await world.kill(actor)

    return act


def fail_init(world: World) -> Awaitable[None]:
    """The first init fails."""
    return world.fail_init()


def settle(world: World) -> Awaitable[None]:
    """The invocation is over for everybody."""
    return world.settle()


def end(world: World) -> Awaitable[None]:
    """The environment has ended by itself."""
    return world.end()


def shutdown(world: World) -> Awaitable[None]:
    """The environment is spun down."""
    return world.shutdown()


BOTH = ("INVOKE", "SHUTDOWN")
LOYAL = (register(*BOTH), serve())
OK = '{"ok":true}'
ONE_INVOKE = "register; next INVOKE; next SHUTDOWN spindown; leave 0"
ANSWERED = "invocation; response; SIGTERM"
