"""New tickets are compared with earlier ones, from the log of a real database (behaviour M-5)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pydantic_core import from_json

from libs.chassis.transaction import Transaction
from libs.contracts.suspicion import TicketDuplicateSuspected
from libs.contracts.ticket import MessageKind
from services.intake import suspecting
from services.intake.customers import Contact, Customers
from services.intake.disclosure import disclosed
from services.intake.domain.decision import By
from services.intake.domain.duplicates import Comparison, Matter
from services.intake.domain.message import Message
from services.intake.domain.opening import Opening, open_ticket
from services.intake.merges import Merges
from services.intake.store import Store
from services.intake.suspecting import step
from services.intake.suspects import Suspects
from tests.component.intake.conftest import Intake

ORDER = "order_number"


@pytest.fixture(autouse=True)
async def rules(intake: Intake) -> None:
    """What was opened before has been looked at."""
    configured(intake, merge_on=[])
    await look(intake)


def configured(intake: Intake, **rules: Any) -> None:
    intake.configure({"desk.yaml": {"duplicates": {"suspect": True, **rules}}})


async def look(intake: Intake) -> None:
    while await step(intake.transactions, asyncio.Event()):
        continue


async def opened(
    intake: Intake,
    email: str,
    subject: str = "Lamp broken",
    text: str = "It is dark",
    organisation: str | None = None,
    **fields: Any,
) -> str:
    async with intake.transactions.begin() as transaction:
        store = Store(transaction)
        customers = Customers(transaction.connection, store.identities)
        (customer,) = await customers.of([Contact("Ann", email, organisation=organisation)])
        first = Message(store.identities.new(), MessageKind.CUSTOMER, text, transaction.now, "phone")
        (reference,) = await store.references(1)
        opening = Opening(
            id=store.identities.new(),
            reference=reference,
            channel="phone",
            subject=subject,
            customer=customer,
            first=first,
            messages=(first,),
            customer_messages=1,
            **fields,
        )
        await store.save([open_ticket(opening, store.statuses, transaction.now, By("customer"))])
    intake.wait(seconds=1)
    return opening.id


async def said(intake: Intake, ticket: str) -> list[list[str]]:
    """Whom each suspicion of a ticket names."""
    rows = await intake.fetch(
        "SELECT data FROM events WHERE subject = $1 AND type = $2 ORDER BY n", ticket, TicketDuplicateSuspected.TYPE
    )
    return [[each["ticket"] for each in from_json(row["data"])["suspects"]] for row in rows]


async def target_of(intake: Intake, ticket: str) -> str | None:
    (row,) = await intake.fetch("SELECT merged_into FROM tickets WHERE id = $1", ticket)
    target: str | None = row["merged_into"]
    return target


async def test_M5_a_new_ticket_that_may_be_there_already_says_so_once(intake: Intake) -> None:
    first = await opened(intake, "ann@one.example")
    await opened(intake, "ann@one.example", "Invoice", "please send it again")
    await opened(intake, "eve@else.example")
    second = await opened(intake, "ann@one.example", "Re: lamp BROKEN")
    await look(intake)
    await look(intake)
    assert (await said(intake, first), await said(intake, second)) == ([], [[first]])
    (row,) = await intake.fetch("SELECT version, merged_into FROM tickets WHERE id = $1", second)
    assert (row["version"], row["merged_into"]) == (2, None), "nothing is merged by itself"


async def test_M5_a_worker_that_dies_before_it_is_done_says_it_once(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = [await opened(intake, "dee@one.example") for _ in range(2)]

    async def die(*_: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr("services.intake.suspecting._say", die)
        with pytest.raises(ConnectionError):
            await look(intake)
    assert await said(intake, second) == []
    await look(intake)
    assert await said(intake, second) == [[first]]


async def test_M5_nothing_is_compared_unless_that_is_configured(intake: Intake) -> None:
    intake.configure({})
    await opened(intake, "bea@one.example")
    second = await opened(intake, "bea@one.example")
    assert await step(intake.transactions, asyncio.Event()) is False
    configured(intake)
    intake.wait(hours=25)
    await look(intake)
    assert await said(intake, second) == [], "what is not new any more is no news"


async def test_M5_an_equal_key_is_merged_by_itself_where_a_rule_says_so(intake: Intake) -> None:
    configured(intake, merge_on=[ORDER])
    first = await opened(intake, "cy@one.example", custom={ORDER: "A-1024"})
    others = await opened(intake, "dot@one.example", custom={ORDER: "A-1024"})
    another = await opened(intake, "cy@one.example", "Chair", custom={ORDER: "A-1025"})
    second = await opened(intake, "cy@one.example", "Where is it?", custom={ORDER: "A-1024"})
    third = await opened(intake, "cy@one.example", custom={ORDER: "A-1024"})
    await look(intake)
    assert [await target_of(intake, each) for each in (first, others, another, second, third)] == [
        *(None, None, None),
        *(first, first),
    ]
    rows = await intake.fetch("SELECT actor FROM events WHERE subject = $1 AND type LIKE '%merged%'", second)
    assert [row["actor"] for row in rows] == ["system"]
    assert await said(intake, second) == [], "that it was merged says it"


async def closed(transaction: Transaction, old: str, new: str) -> None:
    """Somebody resolves and closes the older ticket."""
    await transaction.connection.execute(
        "UPDATE tickets SET status = 'closed', status_category = 'closed' WHERE id = $1", old
    )


async def merged_the_other_way(transaction: Transaction, old: str, new: str) -> None:
    """Somebody merges the older ticket into the newer one."""
    merges = Merges(Store(transaction), By.agent_named("mira"))
    target, sources = await merges.target(new, [old])
    await merges.merge(target, sources, confirmed=False)


@pytest.mark.parametrize("meanwhile", [closed, merged_the_other_way])
async def test_M5_what_cannot_be_merged_any_more_stays_a_suspicion(
    intake: Intake,
    monkeypatch: pytest.MonkeyPatch,
    meanwhile: Callable[[Transaction, str, str], Awaitable[None]],
) -> None:
    """Somebody is faster between the look and the merge."""
    configured(intake, merge_on=[ORDER])
    first, second = [await opened(intake, f"{meanwhile.__name__}@one.example", custom={ORDER: "B-1"}) for _ in range(2)]
    merge = suspecting._merge

    async def too_late(transactions: Any, source: str, target: str) -> None:
        async with transactions.begin() as transaction:
            await meanwhile(transaction, target, source)
        await merge(transactions, source, target)

    monkeypatch.setattr(suspecting, "_merge", too_late)
    await look(intake)
    assert (await target_of(intake, second), await said(intake, second)) == (None, [[first]])


async def test_M5_a_worker_that_is_to_end_stops_between_two_tickets(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(intake, merge_on=[ORDER])
    first, *rest = [await opened(intake, "lou@one.example", custom={ORDER: "C-1"}) for _ in range(4)]
    compared, merge, seen = Suspects.compared_with, suspecting._merge, list[str]()
    over = asyncio.Event()

    async def looking(suspects: Suspects, ticket: str) -> Any:
        seen.append(ticket)
        over.set()
        return await compared(suspects, ticket)

    async def merging(transactions: Any, source: str, target: str) -> None:
        over.set()
        await merge(transactions, source, target)

    with monkeypatch.context() as patched:
        patched.setattr(Suspects, "compared_with", looking)
        assert await step(intake.transactions, over) is False
    assert seen == rest[:1]
    over.clear()
    with monkeypatch.context() as patched:
        patched.setattr(suspecting, "_merge", merging)
        assert await step(intake.transactions, over) is False
    assert [await target_of(intake, each) for each in rest] == [first, None, None]
    await look(intake)
    assert [await target_of(intake, each) for each in rest] == [first, first, first], "the next one does what is left"


async def test_M5_others_have_their_turn_between_two_comparisons(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        await opened(intake, "max@one.example")
    suspicion, turns, at = Comparison.suspicion, 0, list[int]()

    def comparing(comparison: Comparison, candidate: Matter) -> Any:
        at.append(turns)
        return suspicion(comparison, candidate)

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(Comparison, "suspicion", comparing)
    other = asyncio.create_task(others())
    await look(intake)
    other.cancel()
    assert len(at) >= 4
    assert len(set(at)) == len(at)


async def test_M5_an_export_names_only_the_persons_own_tickets_among_the_suspected(intake: Intake) -> None:
    colleagues = await opened(intake, "nat@ash.example", organisation="ash")
    alone = await opened(intake, "ora@ash.example", organisation="ash")
    second = await opened(intake, "ora@ash.example", organisation="ash")
    await look(intake)
    assert ([set(each) for each in await said(intake, alone)], [set(each) for each in await said(intake, second)]) == (
        [{colleagues}],
        [{colleagues, alone}],
    )
    (row,) = await intake.fetch("SELECT customer_id FROM tickets WHERE id = $1", alone)
    async with intake.transactions.begin() as transaction:
        document = await disclosed(transaction.connection, row["customer_id"], transaction.now, notes=False)
    assert document is not None
    facts = [fact for fact in document["facts"] if fact["type"] == TicketDuplicateSuspected.TYPE]
    assert [(fact["ticket_id"], [each["ticket"] for each in fact["data"]["suspects"]]) for fact in facts] == [
        (second, [alone])
    ]
    assert colleagues not in str(document)
