"""A walk over the pages of a list meets every ticket once, whatever is written meanwhile (behaviour V-3)."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from itertools import count

import pytest

from libs.chassis.pagination import decode
from libs.conditions.reading import Context
from libs.conditions.where_text import parse_where
from libs.contracts.conversation import HandedOff
from libs.contracts.sla import Metric, Target, TargetsSet, TargetState
from services.intake.domain.changing import change
from services.intake.domain.decision import By
from services.intake.folders import Sort
from services.intake.handlers import handle
from services.intake.listing import TicketPosition
from services.intake.questions import Question
from services.intake.reach import is_bounded
from services.intake.sifting import count_of, tickets_of
from services.intake.store import Store
from tests.component.intake.conftest import Intake
from tests.component.intake.talk import fact, tell

MIRA = By.agent_named("mira")
numbers = count(1)

Step = Callable[[Intake, list[str]], Awaitable[None]]


async def opened(intake: Intake, category: str, number: int) -> str:
    intake.wait(seconds=20)
    conversation = f"{category}-{next(numbers)}"
    await tell(intake, HandedOff(conversation_id=conversation, intent_id=str(number), topic=f"{category} {number}"))
    (row,) = await intake.fetch("SELECT id FROM tickets WHERE conversation_id = $1", conversation)
    await changed(intake, row["id"], category=category)
    return str(row["id"])


async def changed(intake: Intake, id: str, **fields: object) -> None:
    async with intake.transactions.begin() as transaction:
        store = Store(transaction)
        ticket = (await store.tickets([id]))[id]
        await store.save([change(ticket, fields, store.statuses, transaction.now, MIRA)])


async def due(intake: Intake, id: str, moment: datetime | None, n: int) -> None:
    state = TargetState.PAUSED if moment is None else TargetState.RUNNING
    target = Target(metric=Metric.RESOLUTION, instance=1, state=state, deadline=moment)
    async with intake.transactions.begin() as transaction:
        said = TargetsSet(targets=(target,), final=True)
        await handle([fact(said, id, n, intake)], transaction)


async def asked(intake: Intake, where: str) -> Question:
    condition = parse_where(where)
    async with intake.transactions.begin() as transaction:
        bounded = is_bounded(condition, transaction.config.parsed.statuses)
    return Question(condition, Context(now=intake.clock.now()), bounded=bounded)


async def walk(intake: Intake, question: Question, sort: Sort, between: Step) -> list[str]:
    """The ids of all pages; `between` happens after each."""
    met: list[str] = []
    after: TicketPosition | None = None
    while True:
        async with intake.transactions.begin() as transaction:
            page = await tickets_of(transaction.connection, question, sort, 3, after)
        met += [row["id"] for row in page.items]
        if page.next is None:
            return met
        after = decode(TicketPosition, page.next)
        await between(intake, met)


WIDE, FEW = "category = {}", "category = {} and status_category = open"


@pytest.mark.parametrize("where", [WIDE, FEW])
@pytest.mark.parametrize("sort", list(Sort))
async def test_V3_a_walk_meets_each_ticket_once_while_all_of_them_are_written_on(
    intake: Intake, sort: Sort, where: str
) -> None:
    category = f"w{next(numbers)}"
    mine = [await opened(intake, category, number) for number in range(11)]
    for place, id in enumerate(mine):
        await due(intake, id, intake.clock.now() + timedelta(hours=place) if place % 3 else None, 1)
    intake.wait(minutes=5)
    rounds = count(2)

    async def write_on_all(intake: Intake, met: list[str]) -> None:
        turn = next(rounds)
        intake.wait(seconds=30)
        for place, id in enumerate(mine):
            await changed(intake, id, priority="high" if turn % 2 else "low")
            await due(intake, id, intake.clock.now() + timedelta(hours=place * 7 % 5) if place % 4 else None, turn)
        await opened(intake, category, 100 + turn)

    question = await asked(intake, where.format(category))
    met = await walk(intake, question, sort, write_on_all)
    assert len(met) == len(set(met)), sort
    assert set(mine) <= set(met), sort
    assert [id for id in met if id in mine] == expected(mine, sort)


def expected(mine: list[str], sort: Sort) -> list[str]:
    """Their order when the walk began."""
    if sort is Sort.DEADLINE:
        timed = [id for place, id in enumerate(mine) if place % 3]
        return timed + [id for place, id in enumerate(mine) if not place % 3]
    return mine[::-1] if sort.startswith("-") else mine


async def test_V3_what_is_decided_in_memory_is_walked_the_same(intake: Intake) -> None:
    category = f"m{next(numbers)}"
    mine = [await opened(intake, category, number) for number in range(9)]

    async def write_on_all(intake: Intake, met: list[str]) -> None:
        intake.wait(seconds=30)
        for id in mine:
            await changed(intake, id, tags=(str(next(numbers)),))

    wanted = f"category = {category} and not subject word ('{category} 3', '{category} 4')"
    met = await walk(intake, await asked(intake, wanted), Sort.LATEST, write_on_all)
    assert met == [id for place, id in enumerate(mine) if place not in (3, 4)][::-1]


async def test_V3_counts_are_exact_to_a_thousand_and_say_so_beyond(intake: Intake) -> None:
    category = f"c{next(numbers)}"
    for number in range(3):
        await opened(intake, category, number)
    await intake.fetch(
        """INSERT INTO tickets (id, reference, channel, created_at, suppress_reply, subject, status, status_category,
            updated_at, version, epoch, category, tags, custom, routed, spam, customer_messages, human_replies,
            set_by_person)
        SELECT 'many-' || n, 'many-' || n, 'api', now(), false, 'Lamp ' || n, 'open', 'open', now(), 1, 0,
            'many', '{}', '{}', false, false, 0, 0, '{}' FROM generate_series(1, 1500) AS n"""
    )

    async def counted(where: str) -> tuple[int, bool]:
        question = await asked(intake, where)
        async with intake.transactions.begin() as transaction:
            found = await count_of(transaction.connection, question)
        return found.tickets, found.capped

    assert await counted(f"category = {category}") == (3, False)
    assert await counted(f"category = {category} and subject contains '{category} 1'") == (1, False)
    assert await counted("category = many") == (1000, True)
    assert await counted("category = many and subject word lamp") == (1000, True)
    assert await counted("category = many and subject word (17, 18)") == (2, False)
