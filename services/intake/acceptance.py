"""Mails are taken in by the transaction: whoever waits meanwhile shares the next one (decisions 17)."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from libs.chassis.database import DATABASE_TROUBLE
from libs.chassis.pause import pause
from libs.chassis.resources import Resources
from libs.chassis.storing import attempt
from libs.chassis.transaction import Connection
from services.intake.blobs import PUT, digest, sorted_contents

MOST_MAILS = 256
MOST_BYTES = 32 * 1024 * 1024
SEPARATOR = "\x1f"

TAKE_IN = f"""
WITH kept AS ({PUT})
INSERT INTO inbound_mail (blob, size, door, sender, recipients, received_at, disposition)
SELECT blob, size, door, sender, string_to_array(recipients, chr(31)), $8, 'received'
FROM unnest($3::text[], $4::integer[], $5::text[], $6::text[], $7::text[]) WITH ORDINALITY
     AS x(blob, size, door, sender, recipients, place) ORDER BY place
RETURNING id
"""
"""One statement, so that a mail at the door costs one way to the database and back, and its commit."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A mail at a door: smtp, lmtp, http, import, imap or maildir.

    The envelope is what the door knows; sender "" is the null path.
    """

    raw: bytes
    door: str
    sender: str | None = None
    recipients: tuple[str, ...] = ()


class NotStored(Exception):
    """The mail was not taken in; its sender has to come again."""


class Arrivals:
    """Wakes those who wait for mails to come in or to be settled, within one process."""

    def __init__(self) -> None:
        self._told = 0
        self._waiting: set[asyncio.Event] = set()

    @property
    def told(self) -> int:
        """How often somebody has told. Read it before looking whether there is anything to do."""
        return self._told

    def tell(self) -> None:
        """Something came in, or was settled."""
        self._told += 1
        for event in self._waiting:
            event.set()

    async def wait(self, since: int, seconds: float) -> None:
        """Until somebody has told since then, or so many seconds have passed."""
        if self._told != since:
            return
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            await pause(event, seconds)
        finally:
            self._waiting.discard(event)

    async def wait_unless(self, over: asyncio.Event, since: int, seconds: float) -> None:
        """The same, but not once it is over."""
        waits = [asyncio.ensure_future(over.wait()), asyncio.ensure_future(self.wait(since, seconds))]
        _, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for waiting in pending:
            waiting.cancel()


class Acceptance:
    """Takes mails in. `accept` returns after the commit: then the mail is safe."""

    def __init__(self, came: Arrivals) -> None:
        self._came = came
        self._waiting: list[tuple[Incoming, asyncio.Future[int]]] = []
        self._storing: asyncio.Task[None] | None = None

    async def accept(self, resources: Resources, mail: Incoming) -> int:
        """Store a mail; the number of its receipt. NotStored when that was not possible."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((mail, future))
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store_waiting(resources))
        return await future

    async def _store_waiting(self, resources: Resources) -> None:
        while self._waiting:
            group = self._next_group()
            fault = await self._store(resources, group)
            for _, future in group:
                if fault is not None and not future.done():
                    future.set_exception(NotStored(fault))

    def _next_group(self) -> list[tuple[Incoming, "asyncio.Future[int]"]]:
        size, count = 0, 0
        for mail, _ in self._waiting[:MOST_MAILS]:
            size, count = size + len(mail.raw), count + 1
            if size >= MOST_BYTES:
                break
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        return group

    async def _store(self, resources: Resources, group: Sequence[tuple[Incoming, "asyncio.Future[int]"]]) -> str | None:
        """Why they were not stored, None if they were."""

        async def work() -> None:
            async with resources.database.connection() as connection:
                ids = await insert_received(connection, [mail for mail, _ in group], resources.clock.now())
            for (_, future), id in zip(group, ids, strict=True):
                if not future.done():
                    future.set_result(id)
            self._came.tell()

        try:
            return await attempt(work)
        except DATABASE_TROUBLE as trouble:
            return str(trouble) or type(trouble).__name__


async def insert_received(connection: Connection, mails: Sequence[Incoming], now: datetime) -> list[int]:
    """Store raw bytes and receipts, both or none; the numbers of the receipts, in order."""
    hashes = [digest(mail.raw) for mail in mails]
    rows = await connection.fetch(
        TAKE_IN,
        *sorted_contents(dict(zip(hashes, (mail.raw for mail in mails), strict=True))),
        hashes,
        [len(mail.raw) for mail in mails],
        [mail.door for mail in mails],
        [None if mail.sender is None else storable(mail.sender) for mail in mails],
        [_joined(mail.recipients) for mail in mails],
        now,
    )
    return [row["id"] for row in rows]


def storable(text: str) -> str:
    """The text without what PostgreSQL does not take: NUL and halves of surrogate pairs."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _joined(recipients: Iterable[str]) -> str:
    return SEPARATOR.join(storable(recipient).replace(SEPARATOR, "") for recipient in recipients)
