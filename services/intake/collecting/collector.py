"""One poll of one mailbox: note what lies there, store it, tell the mailbox. Each step may be the last before a crash.

What was noted is fetched again, what was stored is told again, nothing is stored twice.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from libs.chassis.resources import Resources
from services.intake.acceptance import Arrivals, Incoming, insert_received
from services.intake.collecting.box import Box, Fetched
from services.intake.collecting.ledger import CollectingLedger
from services.intake.mail_sources import MailSource

BATCH = 20
T = TypeVar("T")


class Collector:
    """Empties one mailbox, in a thread of its own."""

    def __init__(self, name: str, source: MailSource, box: Box, came: Arrivals) -> None:
        self._name, self._source, self._box, self._came = name, source, box, came
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"mailbox-{name}")

    async def poll(self, resources: Resources, over: asyncio.Event) -> int:
        """Take everything that is new; how many mails were stored. Errors of BOX_TROUBLE and DATABASE_TROUBLE."""
        generation = await self._ask(self._box.open, over)
        await self._find(resources, generation, over)
        count = 0
        while not over.is_set() and (taken := await self._take(resources, generation, over)) is not None:
            count += taken
        await self._finish(resources, generation, over)
        return count

    def close(self) -> None:
        """Drop the connection; the thread ends."""
        self.hang_up()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def hang_up(self) -> None:
        """After trouble: begin with a new connection."""
        self._box.close()

    async def _find(self, resources: Resources, generation: int, over: asyncio.Event) -> None:
        async with resources.database.connection() as connection:
            frontier = await CollectingLedger(connection, self._name, generation).frontier()
        old, found = await self._ask(self._box.begin, over) if frontier is None else (frontier, ())
        later = await self._ask(partial(self._box.new, old), over)
        async with resources.transactions.begin() as transaction:
            ledger = CollectingLedger(transaction.connection, self._name, generation)
            await ledger.find([*found, *later])
            if frontier is None and self._box.remembers:
                await ledger.begin(old)

    async def _take(self, resources: Resources, generation: int, over: asyncio.Event) -> int | None:
        """Store one batch; how many, None if nothing waits."""
        async with resources.database.connection() as connection:
            keys = await CollectingLedger(connection, self._name, generation).waiting(BATCH)
        if not keys:
            return None
        largest: int = resources.configuration.current.parsed.mail.max_mail
        fetched = await self._ask(partial(self._box.fetch, keys, largest), over)
        stored = await self._store(resources, generation, fetched)
        self._came.tell()
        await self._finish(resources, generation, over)
        return stored

    async def _store(self, resources: Resources, generation: int, fetched: Mapping[str, Fetched]) -> int:
        recipients = () if self._source.mailbox is None else (self._source.mailbox,)
        door = "maildir" if self._source.imap is None else "imap"
        async with resources.transactions.begin() as transaction:
            ledger = CollectingLedger(transaction.connection, self._name, generation)
            free = await ledger.lock(fetched)
            mails = {key: each.raw for key, each in fetched.items() if key in free and each.raw is not None}
            incoming = [Incoming(raw, door, None, recipients) for raw in mails.values()]
            ids = await insert_received(transaction.connection, incoming, transaction.now) if incoming else []
            await ledger.stored(dict(zip(mails, ids, strict=True)))
            await ledger.left_out({key: each.reason for key, each in fetched.items() if key in free and each.reason})
        return len(ids)

    async def _finish(self, resources: Resources, generation: int, over: asyncio.Event) -> None:
        """Only what is committed is told."""
        while True:
            async with resources.database.connection() as connection:
                keys = await CollectingLedger(connection, self._name, generation).unfinished(500)
            if not keys:
                return
            await self._ask(partial(self._box.finish, keys), over)
            async with resources.database.connection() as connection:
                ledger = CollectingLedger(connection, self._name, generation)
                await ledger.finished(keys, forget=not self._box.remembers)

    async def _ask(self, work: Callable[[], T], over: asyncio.Event) -> T:
        """Something of the box, in its thread; when it is over the connection is cut, so that nobody waits."""
        asked = asyncio.get_running_loop().run_in_executor(self._thread, work)
        stopped = asyncio.ensure_future(over.wait())
        waits: set[asyncio.Future[Any]] = {asked, stopped}
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not asked.done():
            self.hang_up()
        return await asked
