"""The router's handlers on a real database; intake is a small one that the test moves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg
import pytest
from pydantic_core import from_json

from libs.chassis.configuration import Configuration
from libs.chassis.database import Database as Pool
from libs.chassis.migrations import migrate
from libs.chassis.timers import Due
from libs.chassis.transaction import Outgoing, Transaction, Transactions
from libs.contracts.event import Event, Speaker
from libs.contracts.fact import Fact
from libs.contracts.routing import Presence, TicketRouted
from services.router.assignment.ticket import Ticket
from services.router.configuration import parse
from services.router.desk import Desk
from services.router.handlers import handle
from services.router.staff import change_agent
from services.router.store import Store
from services.router.timers import TIMERS
from signalbox.provisioning.database import prepare_schemas
from tests.support.servers import Database, Template
from tests.support.small_intake import SmallIntake

TABLES = "agents, queues, turns, tickets, texts, decisions, events, outbox, spoken, timers"


def migrated(database: Database) -> None:
    """A database with the router's schema."""
    password = database.server.folder.secrets.postgres_password("router")

    async def fill() -> None:
        await prepare_schemas(database.url, {"router": password}, 10)
        await migrate(database.url, "router")

    asyncio.run(fill())


@pytest.fixture(scope="module")
def database_template() -> Template:
    return migrated


@dataclass
class Router:
    """The router's handlers, its database and the intake it talks to."""

    pool: Pool
    intake: SmallIntake
    configuration: Configuration = field(default_factory=lambda: Configuration(1, None))
    said: dict[int, tuple[str, Event]] = field(default_factory=dict)

    def now(self) -> datetime:
        return self.intake.now

    @property
    def transactions(self) -> Transactions:
        return Transactions(self.pool, Speaker.ROUTER, self, lambda: self.configuration, _published, lambda: False)

    def configure(self, files: Mapping[str, Any]) -> None:
        self.configuration = Configuration(self.configuration.version + 1, parse(files), files)

    async def hear(self, *facts: Fact[Event]) -> list[tuple[str, TicketRouted]]:
        """One batch; the decisions it led to."""
        return await self.within(lambda transaction: handle(facts, transaction))

    async def within(self, work: Callable[[Transaction], Awaitable[None]]) -> list[tuple[str, TicketRouted]]:
        """One transaction; the decisions it led to."""
        async with self.transactions.begin() as transaction:
            await work(transaction)
            return [(one.subject, one.event) for one in transaction._said if isinstance(one.event, TicketRouted)]

    async def settle(self, routed: Sequence[tuple[str, TicketRouted]]) -> None:
        """Let intake apply decisions, the router hear of it, and so on until nothing more is decided."""
        while routed:
            routed = await self.hear(*[self.intake.apply(ticket, decision) for ticket, decision in routed])

    async def staff(self, key: str, **changes: Any) -> list[tuple[str, TicketRouted]]:
        """Change an agent."""
        if "presence" in changes:
            changes["presence"] = Presence(changes["presence"])

        async def change(transaction: Transaction) -> None:
            desk = await Desk.open(transaction)
            await change_agent(desk, desk.floor.agents[key], changes)
            await desk.finish([key])

        return await self.within(change)

    async def fire(self) -> list[tuple[str, TicketRouted]]:
        """Fire the timers that are due, as the chassis does."""
        decided: list[tuple[str, TicketRouted]] = []
        for kind in TIMERS:
            rows = await self.rows(
                "SELECT key, kind, due_at FROM timers WHERE kind = $1 AND due_at <= $2", kind, self.now()
            )
            due = [Due(**row) for row in rows]

            async def work(transaction: Transaction, due: list[Due] = due, kind: str = kind) -> None:
                await TIMERS[kind].lock([one.key for one in due], transaction)
                for one in due:
                    await transaction.connection.execute(
                        "DELETE FROM timers WHERE key = $1 AND kind = $2", one.key, one.kind
                    )
                await TIMERS[kind].fire(due, transaction)

            if due:
                decided += await self.within(work)
        return decided

    async def rows(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        async with self.pool.connection() as connection:
            return await connection.fetch(sql, *values)

    async def ticket(self, ticket: str) -> Ticket:
        async with self.transactions.begin() as transaction:
            return (await Store(transaction).tickets([ticket]))[ticket]

    async def loads(self) -> dict[str, int]:
        """Loads by agent; they are what the tickets say."""
        stored = {row["key"]: row["load"] for row in await self.rows("SELECT key, load FROM agents")}
        counted = await self.rows(
            "SELECT agent, sum(load) AS load FROM ("
            " SELECT assignee AS agent, count(*) AS load FROM tickets WHERE active AND counts GROUP BY 1 UNION ALL"
            " SELECT reserved_agent, count(*) FROM tickets WHERE reserved IS NOT NULL GROUP BY 1) x GROUP BY 1"
        )
        derived = {row["agent"]: int(row["load"]) for row in counted if row["agent"] in stored}
        assert {key: load for key, load in stored.items() if load} == derived
        return stored

    async def why(self, ticket: str) -> list[dict[str, Any]]:
        """Stored explanations, the newest first."""
        async with self.transactions.begin() as transaction:
            return [from_json(row["explanation"]) for row in await Store(transaction).decisions(ticket, 10)]


def _published(facts: list[Outgoing]) -> None:
    """Nobody listens."""


@pytest.fixture(scope="module")
async def pool(database: Database) -> AsyncIterator[Pool]:
    pool = Pool(database.url_of("router"), "router")
    await pool.start()
    yield pool
    await pool.stop()


@pytest.fixture
async def router(pool: Pool, database: Database) -> Router:
    """An empty router."""
    database.execute("SET search_path TO router")
    for table in TABLES.split(", "):
        database.execute(f"DELETE FROM router.{table}")
    return Router(pool, SmallIntake())
