"""Each list asked many times, as its route does: question, statement, rows, JSON."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from random import Random
from time import perf_counter
from typing import Any

from benchmarks.views.tickets import AGENTS
from libs.chassis.pagination import Page, decode
from libs.chassis.tokens import Caller, Role
from libs.chassis.transaction import Transaction, Transactions
from services.intake.api.answers import TicketAnswer, listed_answer
from services.intake.api.selection import Selection, chosen
from services.intake.folders import Sort
from services.intake.listing import SETTINGS, TicketPosition, page
from services.intake.questions import Question, count
from services.intake.sifting import count_of, tickets_of
from services.intake.word_lookup import looked_up

PAGE, DEEP = 50, 100
WARM_UP = 5
EXPLAIN = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, BUFFERS OFF) "


@dataclass(frozen=True, slots=True)
class Spread:
    """Milliseconds. most: the slowest."""

    p50: float
    p95: float
    most: float

    @classmethod
    def of(cls, seconds: list[float]) -> "Spread":
        """Of what was measured."""
        ordered = sorted(each * 1000 for each in seconds)
        at = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.95)]
        return cls(round(at[0], 2), round(at[1], 2), round(ordered[-1], 2))


@dataclass(slots=True)
class Found:
    """What was measured of one list. deep_page: the number of the page that `deep` is, 100 where there are so many."""

    tickets: int
    capped: bool
    first: Spread
    count: Spread
    deep: Spread | None = None
    deep_page: int | None = None


@dataclass(slots=True)
class Asker:
    """Asks on behalf of an agent after another."""

    transactions: Transactions
    times: int
    random: Random = field(default_factory=lambda: Random(1))

    async def measure(self, selection: Selection, sort: Sort | None = None) -> Found:
        """First page, count and page 100 of a list."""
        first = await self._timed(lambda: self._page(selection, sort, None))
        counted = await self._timed(lambda: self._count(selection))
        tickets, capped = await self._count(selection)
        found = Found(tickets, capped, first, counted)
        after, number = await self._walk(selection, sort)
        if number > 1:
            found.deep = await self._timed(lambda: self._page(selection, sort, after))
            found.deep_page = number
        return found

    async def plans(self, selection: Selection, sort: Sort | None = None) -> dict[str, list[str]]:
        """How PostgreSQL finds the first page and the count."""
        async with self.transactions.begin() as transaction:
            connection = transaction.connection
            await connection.execute(SETTINGS)
            asked, order = await self._asked(selection, transaction)
            if asked.search is not None:
                asked = replace(asked, words=await looked_up(connection, asked.search))
            paged = page(asked, sort or order, PAGE + 1, None)
            counted, arguments, _ = count(asked, 1001)
            return {
                "page": [row[0] for row in await connection.fetch(EXPLAIN + paged.sql, *paged.arguments)],
                "count": [row[0] for row in await connection.fetch(EXPLAIN + counted, *arguments)],
            }

    async def _timed(self, work: Callable[[], Awaitable[Any]]) -> Spread:
        for _ in range(WARM_UP):
            await work()
        taken = []
        for _ in range(self.times):
            began = perf_counter()
            await work()
            taken.append(perf_counter() - began)
        return Spread.of(taken)

    async def _page(self, selection: Selection, sort: Sort | None, after: TicketPosition | None) -> str | None:
        async with self.transactions.begin() as transaction:
            asked, order = await self._asked(selection, transaction, after)
            rows = await tickets_of(transaction.connection, asked, sort or order, PAGE, after)
            statuses = transaction.config.parsed.statuses
        answer = Page[TicketAnswer](
            items=[listed_answer(row, statuses, frozenset()) for row in rows.items], next=rows.next
        )
        answer.model_dump_json()
        return answer.next

    async def _count(self, selection: Selection) -> tuple[int, bool]:
        async with self.transactions.begin() as transaction:
            asked, _ = await self._asked(selection, transaction)
            found = await count_of(transaction.connection, asked)
        return found.tickets, found.capped

    async def _walk(self, selection: Selection, sort: Sort | None) -> tuple[TicketPosition | None, int]:
        """Where page 100 begins, or the last one there is."""
        after: TicketPosition | None = None
        for number in range(1, DEEP):
            following = await self._page(selection, sort, after)
            if following is None:
                return after, number
            after = decode(TicketPosition, following)
        return after, DEEP

    async def _asked(
        self, selection: Selection, transaction: Transaction, after: TicketPosition | None = None
    ) -> tuple[Question, Sort]:
        # a walk is somebody's
        agent = AGENTS[0] if after is not None else self.random.choice(AGENTS)
        caller = Caller(agent, Role.AGENT, "bench", agent)
        now = transaction.now if after is None else after.as_of
        return await chosen(selection, caller, transaction, now, "query")
