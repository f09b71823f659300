"""A world that a scenario is played in, and the first of the two: AWS's emulator.

Owns: laying out the actors, driving them, and putting what the caller is told into words that do
not depend on the world. Must not know our sandbox (`rie_sandbox.py` is the second world) nor any
scenario.

What AWS's emulator does otherwise than Lambda, and our sandbox therefore does not copy, is put
right in `EmulatorWorld` and nowhere else; each place names its number in this list:

1. The caller is held until the extensions are done, and is told of a timeout or crash after the
   response. Lambda gives the response when the runtime has posted it.
2. On demand, the reasons of a shutdown are spelt in its own way.
3. On demand, nothing is started before the first invocation, and an init that fails takes that
   invocation along; now and then it then breaks the connection off. Lambda starts at once, and
   tries again within the first invocation.
4. On Managed Instances, an error is given to the caller without a message.
5. Deadlines and account in ARNs, environment of the extensions, Content-Type of SHUTDOWN, wording
   of JSON errors: left out of the comparison.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import aiohttp

from tests.support.probe_steps import Life, Step, handle
from tests.support.probe_story import Story, read_journal, without_ids
from tests.support.rie import PYTHON, Emulator, Tree, write_program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Lives: TypeAlias = "Sequence[Life]"

ACTOR = Path(__file__).with_name("probe_actor.py")
_POLL_S = 0.002

# Number 2. Its own lower-case word stands for a failed init, which is no spindown.
_DOCUMENTED_REASON = {
    "Timeout": "timeout",
    "ReleaseFail": "failure",
    "SandboxTerminated": "spindown",
    "spindown": "failure",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who takes part, and under which limits. An actor's last life is repeated.

    *stubborn* actors ignore SIGTERM. *broken* extensions are files that cannot be executed. With
    *max_concurrency* it is a Managed Instance.
    """

    extensions: Mapping[str, Lives] = field(default_factory=dict)
    runtime: Lives = ((handle(),),)
    stubborn: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    timeout_s: int = 3
    max_concurrency: int | None = None


class World(ABC):
    """Plays the part of Lambda for one cast, below the directory *root*; entered once."""

    def __init__(self, cast: Cast, root: Path) -> None:
        self._cast = cast
        self._root = root
        self._journal = root / "tree/tmp/journal.jsonl"
        self._answers: list[str] = []
        self._open = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start."""
        await self._start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop, with everything gone."""
        await self._open.aclose()

    @abstractmethod
    async def _start(self) -> None:
        """Lay out the actors and start the world."""

    @abstractmethod
    async def _call(self, payload: bytes, trace: str | None) -> str:
        """Invoke the function; gives the answer in words."""

    @abstractmethod
    async def fail_init(self) -> None:
        """Have the first init happen, which fails."""

    @abstractmethod
    async def settle(self) -> None:
        """Wait until the invocation is over for the extensions too."""

    @abstractmethod
    async def shutdown(self) -> None:
        """End the environment in the ordinary way."""

    @abstractmethod
    async def end(self) -> None:
        """Wait until the environment has ended by itself, as a failure."""

    @abstractmethod
    def _host_pid(self, pid: int) -> int:
        """Translate the pid that a process knows itself by."""

    async def invoke(self, *steps: Step, trace: str | None = None) -> str:
        """Have the runtime do *steps*; notes the answer that the caller gets."""
        answer = await self._call(json.dumps(steps).encode(), trace)
        self._answers.append(answer)
        return answer

    async def invoke_together(self, count: int, *steps: Step) -> None:
        """Invoke the function *count* times in parallel."""
        await asyncio.gather(*(self.invoke(*steps) for _ in range(count)))

    async def kill(self, actor: str) -> None:
        """Kill the process of *actor*, and wait until it is gone."""
        pid = self._host_pid(self.story().of(actor, "start")[-1]["pid"])
        os.kill(pid, signal.SIGKILL)
        while Path(f"/proc/{pid}").exists():  # noqa: ASYNC110 - it is gone when its parent says so
            await asyncio.sleep(_POLL_S)

    async def seen(self, actor: str, saw: str, times: int = 1) -> None:
        """Wait until *actor* has seen something *times* times; the journal cannot call us."""
        while len(self.story().of(actor, saw)) < times:  # noqa: ASYNC110 - a file is no event
            await asyncio.sleep(_POLL_S)

    def story(self) -> Story:
        """Tell what has happened so far."""
        return Story(read_journal(self._journal.read_text()), tuple(self._answers))


class EmulatorWorld(World):
    """AWS's emulator, with the ways put right that are not Lambda's."""

    _emulator: Emulator

    async def _start(self) -> None:
        tree = Tree(self._root / "tree")
        programs = lay_out(
            self._cast,
            self._root / "tree/opt/probe",
            lambda file: f"{PYTHON} -I -S /opt/probe/{ACTOR.name} /opt/probe/{file}",
            journal=f"/tmp/{self._journal.name}",  # noqa: S108 - the namespace's own
        )
        self._journal.touch()
        self._journal.chmod(0o666)
        install_extensions(self._cast, tree.extensions, programs)
        write_program(tree.bootstrap, f"exec {programs['runtime']}\n")
        self._emulator = await self._open.enter_async_context(
            Emulator(
                tree, timeout_s=self._cast.timeout_s, max_concurrency=self._cast.max_concurrency
            )
        )

    async def _call(self, payload: bytes, trace: str | None) -> str:
        headers = {} if trace is None else {"X-Amzn-Trace-Id": trace}
        if self._cast.max_concurrency is not None:
            answer = await self._emulator.invoke_when_free(payload, headers)
            return in_words(answer.body, managed=True)
        before = len(self.story().entries)
        answer = await self._emulator.invoke(payload, headers)
        for entry in self.story().entries[before:]:  # number 1
            if entry["saw"] in {"response", "error"} and entry["status"] == 202:
                return str(entry["sent"])
        return in_words(answer.body, managed=False)

    async def fail_init(self) -> None:
        """Spend an invocation on it (number 3)."""
        with contextlib.suppress(aiohttp.ServerDisconnectedError):
            await self._emulator.invoke()

    async def settle(self) -> None:
        """Nothing to do: the caller was held (number 1)."""

    async def shutdown(self) -> None:
        """Stop it by SIGTERM."""
        await self._emulator.stop()

    async def end(self) -> None:
        """The emulator ends with it, and with 1."""
        assert await self._emulator.wait() == 1

    def _host_pid(self, pid: int) -> int:
        return self._emulator.namespace.find(lambda one: one.pid_inside == pid).pid

    def story(self) -> Story:
        """Tell what has happened so far, in documented words (number 2)."""
        story = super().story()
        for entry in story.entries if self._cast.max_concurrency is None else ():
            body = entry.get("body")
            if isinstance(body, dict) and "shutdownReason" in body:
                body["shutdownReason"] = _DOCUMENTED_REASON[body["shutdownReason"]]
        return story


def in_words(body: bytes, *, managed: bool) -> str:
    """Put what the caller is told into words; on Managed Instances only the type (number 4)."""
    text = body.decode()
    if "Task timed out after" in text or '"Sandbox.Timedout"' in text:
        return "timeout"
    error_type = re.search(r'"errorType":"((?:Runtime|Extension)\.\w+)"', text)
    return error_type[1] if managed and error_type else without_ids(text)


def install_extensions(cast: Cast, folder: Path, programs: Mapping[str, str]) -> None:
    """Write the files that are started from *folder*, and a directory that is not."""
    (folder / "directory").mkdir()
    for name in cast.extensions:
        write_program(folder / name, f"exec {programs[name]}\n")
    for name in cast.broken:
        (folder / name).touch(mode=0o644)


def lay_out(
    cast: Cast, folder: Path, command: Callable[[str], str], *, journal: str
) -> dict[str, str]:
    """Write the actors' plans into *folder*; gives the command line of each actor by name."""
    folder.mkdir(parents=True)
    (folder / ACTOR.name).write_bytes(ACTOR.read_bytes())
    commands = {}
    for name, lives in {**cast.extensions, "runtime": cast.runtime}.items():
        plan: dict[str, Any] = {"name": name, "journal": journal, "lives": lives}
        plan["stubborn"] = name in cast.stubborn
        (folder / f"{name}.json").write_text(json.dumps(plan))
        commands[name] = command(f"{name}.json")
    return commands
