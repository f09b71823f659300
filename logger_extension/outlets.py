"""Where each signal goes: exporter, delivery, queue, and the fallback behind them all.

Owns which of the settings each of these gets, and what is done with them beside flushes: connecting
ahead, and taking up what an earlier process wrote down. State: the channels of serialized requests
and the deliveries, complete once the pipeline is built. Must not know what a record means.
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import TypeVar

from logger_extension.channel import Channel
from logger_extension.config import Config
from logger_extension.delivery import Delivery
from logger_extension.exporters.fallback import open_fallback
from logger_extension.exporters.protocols import open_exporter, open_secrets
from logger_extension.exporters.spool import Spool
from logger_extension.pipeline import Pipeline
from logger_extension.policy.flush import FULL_SHARE
from logger_extension.policy.queue import Entry, Queue
from logger_extension.route import Limits, Route
from logger_extension.self_telemetry import SelfTelemetry
from logger_extension.settings.export import Target
from logger_extension.signals.requests import count_items, parse
from logger_extension.signals.splitting import split_request

Item = TypeVar("Item")


def _one(_item: object) -> int:
    return 1


class Outlets:
    """Opens channels.

    Args:
        config: the settings.
        stack: what has to be closed is entered here.
        complain: called with a message and a reason.
        itself: is told what deliveries do.

    Attributes:
        forwarded: the channels of serialized requests, by signal.
        fallback: takes what no collector does, None for nowhere.
    """

    def __init__(
        self,
        config: Config,
        stack: AsyncExitStack,
        complain: Callable[[str, str], None],
        itself: SelfTelemetry,
    ) -> None:
        self._config = config
        self._stack = stack
        self._complain = complain
        self._itself = itself
        self._deliveries: list[Delivery] = []
        self._secrets = open_secrets(config.export)
        self.forwarded: dict[str, Channel[bytes]] = {}
        self.fallback = open_fallback(config.fallback, complain)

    async def open_channel(
        self,
        target: Target | None,
        encode: Callable[[Sequence[Item]], bytes],
        count: Callable[[Item], int] = _one,
    ) -> Channel[Item] | None:
        """Return the channel of a signal, None for one that is off.

        What the function's own SDK sends goes the same way, in a queue of its own: in `forwarded`.

        Args:
            target: where the signal goes.
            encode: items to one serialized request.
            count: how many records an item holds.

        Raises:
            ConfigError: a certificate cannot be used, or the layer lacks what a protocol needs.
        """
        if target is None:
            return None
        signal, delivery = target.signal, await self._open_delivery(target)
        route = Route(
            signal=signal, encode=encode, sender=delivery, fallback=self.fallback, count=count
        )
        raw_route = Route(
            signal=signal,
            encode=b"".join,
            sender=delivery,
            fallback=self.fallback,
            divide=partial(_divide, signal),
            count=partial(_count_records, signal),
        )
        limits = self._limit(target)
        self.forwarded[signal] = Channel(
            f"function_{signal}",
            self._queue(),
            raw_route,
            limits,
            self._complain,
            None,  # counting would mean to parse each request once more
        )
        queue: Queue[Item] = self._queue()
        count_exported = partial(self._itself.count_exported, signal)
        channel = Channel(signal, queue, route, limits, self._complain, count_exported)
        self._itself.watch(signal, channel)
        return channel

    async def connect(self) -> None:
        """Connect to all collectors while nobody waits for them, and make the fallback ready."""
        if self.fallback is not None:
            # Later there may be no room for its thread.
            with suppress(RuntimeError):
                self.fallback.start()
        async with asyncio.TaskGroup() as group:
            for delivery in self._deliveries:
                group.create_task(delivery.connect())

    async def recover(self, pipeline: Pipeline) -> None:
        """Take up what an earlier process of this sandbox wrote down before a reset."""
        settings = self._config.fallback
        if not settings.directory:
            return
        spool = Spool(settings.directory, settings.max_bytes)
        is_rest = True
        # What there is no room for is left to the next process.
        while is_rest and pipeline.fill < FULL_SHARE:
            try:
                taken = await asyncio.to_thread(spool.take, self._config.delivery.request_max_bytes)
            except OSError as error:
                self._complain("what was written down before cannot be read", str(error))
                return
            for signal, body in taken.requests:
                pipeline.take_back(signal, body)
            if taken.unreadable:
                pipeline.refuse("unreadable_line", taken.unreadable)
            for reason in taken.refused:
                self._complain("a file in the fallback's directory was left alone", reason)
            is_rest = taken.is_rest

    async def _open_delivery(self, target: Target) -> Delivery:
        aside = self._config.cpu.has_spare
        exporter = open_exporter(target, compresses_aside=aside, secrets=self._secrets)
        await self._stack.enter_async_context(exporter)
        reporting = self._itself.report_on(target.signal)
        delivery = Delivery(exporter, target.timeout_ms, time.monotonic, random.random, reporting)
        self._deliveries.append(delivery)
        return delivery

    def _queue(self) -> Queue[Item]:
        settings = self._config.delivery
        return Queue(settings.queue_max_bytes, settings.queue_max_records)

    def _limit(self, target: Target) -> Limits:
        """Return how large requests are: what is set, or less where a collector takes less."""
        settings = self._config.delivery
        return Limits(
            min(settings.request_max_bytes, target.max_request_bytes or settings.request_max_bytes),
            min(settings.request_max_records, target.max_records or settings.request_max_records),
        )


def _count_records(signal: str, body: bytes) -> int:
    # It was parsed when it came in: what does not parse cannot be here.
    return count_items(signal, parse(signal, body))


def _divide(signal: str, entry: Entry[bytes]) -> list[Entry[bytes]]:
    parts = split_request(signal, entry.item, max(len(entry.item) // 2, 1))
    return [Entry(part, len(part)) for part in parts]
