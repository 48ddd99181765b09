"""Intake's transactions on a real database, migrated once for all modules."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
import yaml

from libs.chassis.clock import SimulatedClock, real_now
from libs.chassis.configuration import Configuration
from libs.chassis.database import Database as Pool
from libs.chassis.events import EventLog
from libs.chassis.migrations import migrate
from libs.chassis.process import Process
from libs.chassis.roles import ServiceRole, prepare_roles
from libs.chassis.tokens import Role
from libs.chassis.transaction import Outgoing, Transactions
from libs.contracts.event import Event, Speaker
from libs.contracts.fact import Fact, read_fact
from libs.contracts.ticket import (
    TicketChanged,
    TicketMessageAdded,
    TicketNoteAdded,
    TicketOpened,
    TicketRated,
    TicketReminderDue,
    TicketRemoved,
    TicketRestored,
)
from services.intake.configuration import parse
from services.intake.joining import join
from tests.support.servers import Database, Template
from tests.support.stack import Stack

CONFIG = Path(__file__).resolve().parents[3] / "config"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SAID = {
    event.TYPE: event
    for event in (
        TicketChanged,
        TicketMessageAdded,
        TicketNoteAdded,
        TicketOpened,
        TicketRated,
        TicketReminderDue,
        TicketRemoved,
        TicketRestored,
    )
}


def files() -> dict[str, Any]:
    """The example configuration, as a bundle has it."""
    return {path.name: yaml.safe_load(path.read_text()) for path in CONFIG.glob("*.yaml")}


def migrated(database: Database) -> None:
    """A database with intake's schema."""
    password = urlsplit(database.url_of("intake")).password or ""

    async def prepare() -> None:
        connection = await asyncpg.connect(database.url)
        try:
            await prepare_roles(connection, ServiceRole("intake", password))
        finally:
            await connection.close()
        await migrate(database.url, "intake")

    # the fixture that calls this is synchronous and may run inside the event loop's thread
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(prepare())
    finally:
        loop.close()


@pytest.fixture(scope="module")
def database_template() -> Template:
    return migrated


@dataclass
class Intake:
    """Intake without a broker: transactions on a clock of the test's own, and what was said in them."""

    pool: Pool
    clock: SimulatedClock = field(default_factory=SimulatedClock)
    outgoing: list[Outgoing] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock.advance_to(START)
        self.configure({})
        self.transactions = Transactions(
            self.pool, Speaker.INTAKE, self.clock, lambda: self.configuration, self.outgoing.extend, lambda: False
        )

    def configure(self, changes: dict[str, dict[str, Any]]) -> None:
        """The example configuration with other values for these keys of these files."""
        bundle = {name: document | changes.get(name, {}) for name, document in files().items()}
        self.configuration = Configuration(7, parse(bundle))

    def wait(self, **by: float) -> None:
        """Let time pass."""
        self.clock.advance_to(self.clock.now() + timedelta(**by))

    def said(self) -> list[Fact[Event]]:
        """What was said since this was asked last."""
        facts = read(self.outgoing)
        self.outgoing.clear()
        return facts

    async def fetch(self, sql: str, *arguments: Any) -> list[dict[str, Any]]:
        """Rows of a query as intake's own role."""
        async with self.pool.connection() as connection:
            return [dict(row) for row in await connection.fetch(sql, *arguments)]

    async def said_again(self, subject: str) -> list[Fact[Event]]:
        """What the relay would publish from the tables."""
        log = EventLog(Speaker.INTAKE, join)
        async with self.pool.connection() as connection:
            documents = await log.complete(connection, await log.of_subject(connection, subject, 0, 1000))
        return read(Outgoing(0, 0, d["nats_subject"], d["headers"].encode(), d["data"].encode()) for d in documents)


def read(outgoing: Iterable[Outgoing]) -> list[Fact[Event]]:
    """Facts as a hearer has them, their state and data parsed."""
    facts = [read_fact(each.nats_subject, each.headers, each.payload) for each in outgoing]
    for fact in facts:
        fact.decode(SAID)
    return facts


def content(facts: Iterable[Fact[Event]]) -> list[tuple[object, ...]]:
    """Everything a hearer learns from facts, to compare them by."""
    return [
        (f.speaker, f.subject, f.n, f.type, f.occurred_at, f.actor, f.cause, f.config_version, f.ticket, f.data)
        for f in facts
    ]


@pytest.fixture(scope="module")
async def intake(database: Database) -> AsyncIterator[Intake]:
    """One for a module; its database is the module's own."""
    pool = Pool(database.url_of("intake"), "intake")
    await pool.start()
    yield Intake(pool)
    await pool.stop()


@asynccontextmanager
async def client_of(
    stack: Stack, process: Process, agent: str, role: Role = Role.AGENT
) -> AsyncIterator[httpx.AsyncClient]:
    """Who speaks to it."""
    token = process.resources.tokens.issue(agent, role, real_now(), agent=agent, lifetime=timedelta(hours=1))
    async with stack.client(process, token) as client:
        yield client


@pytest.fixture
async def mira(stack: Stack, process: Process) -> AsyncIterator[httpx.AsyncClient]:
    """An agent; each module runs the process as it needs it."""
    async with client_of(stack, process, "mira") as client:
        yield client


@pytest.fixture
async def system(stack: Stack, process: Process) -> AsyncIterator[httpx.AsyncClient]:
    """Another system."""
    async with stack.client(process) as client:
        yield client
