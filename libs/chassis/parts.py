"""The parts of a process: side by side, until it is over. A part outlives the database and the broker."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import nats.errors
import structlog

from libs.chassis.database import DATABASE_TROUBLE

log = structlog.get_logger(__name__)

AGAIN_SECONDS = 0.5
TROUBLE: tuple[type[Exception], ...] = (*DATABASE_TROUBLE, nats.errors.Error)

Part = Callable[[asyncio.Event], Awaitable[None]]
"""Works until its event is set."""


async def run_parts(parts: Sequence[Part], stopping: asyncio.Event) -> None:
    """Run all of them until `stopping` is set; the first that fails ends them all."""
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(_end(stopping, over))
        for part in parts:
            group.create_task(run_until(part, over)).add_done_callback(partial(_tell, over))


async def run_until(part: Part, over: asyncio.Event) -> None:
    """What a part raises for the sake of database and broker only means that it begins again."""
    while True:
        try:
            await part(over)
        except* TROUBLE as troubles:
            log.warning("a part begins again", reason=str(troubles.exceptions[0]))
        else:
            return
        if over.is_set():
            return
        await asyncio.sleep(AGAIN_SECONDS)


async def _end(stopping: asyncio.Event, over: asyncio.Event) -> None:
    await stopping.wait()
    over.set()


def _tell(over: asyncio.Event, part: asyncio.Task[None]) -> None:
    """A fault of one part is the end for all: they are cancelled, and told, because a cancellation can be lost in
    `asyncio.wait_for` of Python 3.11 (cpython#86296)."""
    if not part.cancelled() and part.exception() is not None:
        over.set()
