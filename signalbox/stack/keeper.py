"""Keeps a stack running: whatever dies is started again, and no trouble in doing so ends the keeping."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import nats.errors
import structlog

from libs.embedded.errors import EmbeddedError
from libs.embedded.nats_server import NatsServer
from libs.embedded.postgres_server import PostgresServer
from signalbox.stack.service_child import ServiceChild

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 0.2
TROUBLE = (EmbeddedError, nats.errors.Error, OSError, TimeoutError)


class Keeper:
    """The supervisor of the embedded stack.

    complete: makes streams, consumers and configuration of a running broker as they have to be, whatever it still has.
    """

    def __init__(
        self,
        broker: NatsServer,
        database: PostgresServer,
        children: Sequence[ServiceChild],
        complete: Callable[[], Awaitable[None]],
    ) -> None:
        self._broker, self._database = broker, database
        self._children, self._complete = children, complete

    async def keep(self, stopping: asyncio.Event) -> None:
        """Until `stopping`."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_database(stopping))
            group.create_task(self._keep_broker(stopping))
            for child in self._children:
                group.create_task(child.keep_running(stopping))

    async def _keep_database(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            if not self._database.running:
                log.warning("PostgreSQL died and is started again")
                await _tried(self._database.start_async)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _keep_broker(self, stopping: asyncio.Event) -> None:
        is_complete = True
        while not stopping.is_set():
            if not self._broker.running:
                log.warning("nats-server died and is started again")
                is_complete = False
                await _tried(self._broker.start_async)
            elif not is_complete:
                is_complete = await _tried(self._complete)
            await asyncio.sleep(PAUSE_SECONDS if is_complete else 0)


async def _tried(step: Callable[[], Awaitable[None]]) -> bool:
    """Whether it went well; it is tried again in a moment if not, because it may have died meanwhile."""
    try:
        await step()
    except TROUBLE as trouble:
        log.warning("not yet", reason=str(trouble) or type(trouble).__name__)
        await asyncio.sleep(PAUSE_SECONDS)
        return False
    return True
