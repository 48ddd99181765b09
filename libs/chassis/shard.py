"""What holding a shard means: its facts are consumed, its gaps closed, and what the stream lost is fetched."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from libs.chassis.broker import Connection
from libs.chassis.consumer import Consumer
from libs.chassis.gaps import Gaps
from libs.chassis.hearing import FACTS, Hearing
from libs.chassis.pull import Pull
from libs.chassis.repair import Asks, Repair
from libs.chassis.resources import Resources
from libs.chassis.storing import Storing

if TYPE_CHECKING:
    from libs.chassis.service import Service


class Shards:
    """The shards of one hearer. `repairs`: of those that this process holds now."""

    def __init__(self, service: Service, resources: Resources, link: Connection, hearing: Hearing) -> None:
        self.repairs: set[Repair] = set()
        self._service, self._resources, self._link, self._hearing = service, resources, link, hearing
        self._storing = Storing(hearing, resources.transactions, resources.metrics)

    async def hold(self, shard: int, over: asyncio.Event) -> None:
        """Work on a shard until it is over; the first of its jobs that fails ends them all."""
        settings = self._service.settings
        pull = Pull(self._resources.broker.wire, FACTS, self._service.durables[shard], settings.batch_size)
        repair = self._repair(shard)
        gaps = Gaps(self._resources.database, self._hearing, self._storing, repair.subjects, shard, settings.shards)
        consumer = Consumer(pull, self._storing, size=settings.batch_size, linger=settings.linger_ms / 1000)
        self.repairs.add(repair)
        forget = [self._link.on_reconnect(pull.forget), self._link.on_reconnect(repair.soon)]
        try:
            async with asyncio.TaskGroup() as group:
                for run in (consumer.run, repair.run, gaps.run):
                    group.create_task(run(over))
        finally:
            self.repairs.discard(repair)
            for undo in forget:
                undo()

    def _repair(self, shard: int) -> Repair:
        return Repair(
            self._resources.database,
            self._storing,
            self._resources.peers,
            self._asks(),
            self._service.kinds,
            shard,
            self._service.settings.shards,
            self._resources.metrics,
        )

    def _asks(self) -> Asks:
        """Where to ask each speaker that is heard."""
        settings = self._service.settings
        urls = {speaker: getattr(settings, f"{speaker}_url", None) for speaker, _ in self._service.kinds}
        return {speaker: url for speaker, url in urls.items() if url is not None}
