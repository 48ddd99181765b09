"""Intake's mail half on a real database: mails are taken in and settled by the worker, without a broker."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest

from libs.chassis.database import Database as Pool
from services.intake.acceptance import Arrivals, Incoming, insert_received
from services.intake.inbound.worker import BATCH, MailWorker
from tests.component.intake.conftest import Intake, migrated
from tests.support.servers import Database, Template

KEY = b"a key of more than sixteen bytes"
TABLES = (
    "blobs, inbound_mail, mail_claims, mail_ids, participants, tickets, messages, customers, events, outbox, timers,"
    " agents, watching_mailboxes, copied"
)


@pytest.fixture(scope="module")
def database_template() -> Template:
    return migrated


@dataclass
class Post:
    """A mailbox and who works it off."""

    database: Database
    intake: Intake

    async def take_in(self, mails: Sequence[bytes], *recipients: str, sender: str | None = None) -> list[int]:
        """Commit mails as the door does; the numbers of their receipts."""
        incoming = [Incoming(raw, "smtp", sender, recipients or ("help@support.example.com",)) for raw in mails]
        async with self.intake.transactions.begin() as transaction:
            return await insert_received(transaction.connection, incoming, transaction.now)

    async def work_off(self, workers: int = 1, most: int = BATCH) -> None:
        """Until nothing waits; by so many workers at once, that take at most so many mails at a time."""

        async def work() -> None:
            worker = MailWorker(Arrivals(), Arrivals(), [KEY], most)
            while await worker.work_off(self.intake.transactions):
                continue

        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(work())

    async def deliver(self, *mails: bytes, sender: str | None = None) -> list[dict[str, Any]]:
        """Take mails in and settle them; their receipts in order."""
        receipts = await self.take_in(mails, sender=sender)
        await self.work_off()
        return await self.receipts(receipts)

    async def receipts(self, ids: Iterable[int]) -> list[dict[str, Any]]:
        """What became of mails."""
        return await self.intake.fetch("SELECT * FROM inbound_mail WHERE id = ANY($1) ORDER BY id", list(ids))

    async def ledger(self) -> dict[str, int]:
        """Mails by disposition."""
        rows = await self.intake.fetch("SELECT disposition, count(*) AS mails FROM inbound_mail GROUP BY disposition")
        return {row["disposition"]: row["mails"] for row in rows}

    async def ticket(self, id: str) -> dict[str, Any]:
        """A ticket's row."""
        return (await self.intake.fetch("SELECT * FROM tickets WHERE id = $1", id))[0]

    async def messages(self, ticket: str) -> list[dict[str, Any]]:
        """A ticket's messages in order."""
        return await self.intake.fetch("SELECT * FROM messages WHERE ticket_id = $1 ORDER BY n", ticket)

    def begin_anew(self, **mail: Any) -> None:
        """Forget everything; with these keys of mail.yaml instead of the example's."""
        self.database.execute(f"SET search_path TO intake; TRUNCATE {TABLES}")
        self.intake.outgoing.clear()
        self.intake.configure({"mail.yaml": mail})

    def say(self, sql: str) -> None:
        """Change the database as a test needs it."""
        self.database.execute(f"SET search_path TO intake; {sql}")


def mail(
    subject: str = "It hurts", text: str = "Help me.", *, sender: str = "Ada <ada@customer.example>", **headers: str
) -> bytes:
    """A mail as a person writes it; headers by name with underscores, e.g. `message_id`."""
    written = EmailMessage(policy=SMTP)
    written["From"] = sender
    written["To"] = "help@support.example.com"
    written["Subject"] = subject
    written["Date"] = "Mon, 02 Mar 2026 08:59:00 +0000"
    for name, value in headers.items():
        written[name.replace("_", "-")] = value
    written.set_content(text)
    return written.as_bytes()


@pytest.fixture(scope="module")
async def post(database: Database) -> AsyncIterator[Post]:
    """One for a module; its database is the module's own."""
    pool = Pool(database.url_of("intake"), "intake")
    await pool.start()
    yield Post(database, Intake(pool))
    await pool.stop()
