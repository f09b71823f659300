"""Fixtures of the contract tests: a place for programs, and an intake for telemetry."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from lambda_sandbox import Scenario
from tests.support.sandbox_programs import RUNTIME, write_program

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path


@dataclass
class Workshop:
    """A folder in which a test puts its extensions and its runtime."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    def extension(self, name: str, behaviour: str) -> Path:
        """Write an extension into the extensions folder."""
        return write_program(self.root / "opt" / "extensions" / name, behaviour)

    def runtime(self, behaviour: str) -> Path:
        """Write the bootstrap file."""
        return write_program(self.root / "task" / "bootstrap", behaviour)

    def scenario(self, **fields: Any) -> Scenario:
        """Return a scenario with what was written; times are short unless the test says else."""
        (self.root / "task").mkdir(exist_ok=True)
        extensions = self.root / "opt" / "extensions"
        defaults: dict[str, Any] = {
            "task_root": self.root / "task",
            "extensions": extensions if extensions.exists() else None,
            "environment": self.environment,
        }
        return Scenario(**(defaults | fields))


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """A workshop with the obedient runtime in it."""
    workshop = Workshop(tmp_path)
    workshop.runtime(RUNTIME)
    return workshop


@dataclass
class Post:
    """One POST that the intake got."""

    at: float
    path: str
    body: bytes
    headers: dict[str, str]

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events of the batch."""
        events: list[dict[str, Any]] = json.loads(self.body)
        return events


class Intake:
    """A telemetry listener inside the test."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.answering = asyncio.Event()
        self.answering.set()
        self._arrived = asyncio.Condition()
        self._runner: web.AppRunner
        self.port = 0

    async def start(self, port: int = 0) -> None:
        """Listen on this port, or on any; also again after a stop."""
        application = web.Application(client_max_size=8 * 1024 * 1024)
        application.router.add_post("/{path:.*}", self._receive)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening."""
        self.answering.set()
        await self._runner.cleanup()

    @property
    def events(self) -> list[dict[str, Any]]:
        """All events in order of arrival."""
        return [event for post in self.posts for event in post.events]

    def types(self) -> list[str]:
        """Types of all events in order of arrival."""
        return [event["type"] for event in self.events]

    def records(self, kind: str) -> list[Any]:
        """Records of all events of a type."""
        return [event["record"] for event in self.events if event["type"] == kind]

    async def wait_for(self, predicate: Callable[[Intake], bool]) -> None:
        """Wait until the predicate holds."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: predicate(self))

    async def wait_for_type(self, kind: str, count: int = 1) -> list[Any]:
        """Wait for `count` events of a type and return all of their records."""
        await self.wait_for(lambda intake: len(intake.records(kind)) >= count)
        return self.records(kind)

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.posts.append(Post(time.monotonic(), request.path, body, dict(request.headers)))
        async with self._arrived:
            self._arrived.notify_all()
        await self.answering.wait()
        return web.Response()


@pytest.fixture
async def intake(workshop: Workshop) -> AsyncIterator[Intake]:
    """A listener whose port the programs know as INTAKE_PORT."""
    intake = Intake()
    await intake.start()
    workshop.environment["INTAKE_PORT"] = str(intake.port)
    yield intake
    await intake.stop()
