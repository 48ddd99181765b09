"""New tickets are compared with earlier ones, from the log of a real database (behaviour M-5)."""

from typing import Any

import pytest
from pydantic_core import from_json

from libs.contracts.suspicion import TicketDuplicateSuspected
from libs.contracts.ticket import MessageKind
from services.intake import suspecting
from services.intake.customers import Contact, Customers
from services.intake.domain.decision import By
from services.intake.domain.message import Message
from services.intake.domain.opening import Opening, open_ticket
from services.intake.store import Store
from services.intake.suspecting import step
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
    while await step(intake.transactions):
        continue


async def opened(
    intake: Intake, email: str, subject: str = "Lamp broken", text: str = "It is dark", **fields: Any
) -> str:
    async with intake.transactions.begin() as transaction:
        store = Store(transaction)
        customers = Customers(transaction.connection, store.identities)
        (customer,) = await customers.of([Contact("Ann", email)])
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
    assert await step(intake.transactions) is False
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


async def test_M5_what_cannot_be_merged_any_more_stays_a_suspicion(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody resolves and closes the older ticket between the look and the merge."""
    configured(intake, merge_on=[ORDER])
    first, second = [await opened(intake, "kim@one.example", custom={ORDER: "B-1"}) for _ in range(2)]
    merge = suspecting._merge

    async def too_late(transactions: Any, source: str, target: str) -> None:
        async with transactions.begin() as transaction:
            await transaction.connection.execute(
                "UPDATE tickets SET status = 'closed', status_category = 'closed' WHERE id = $1", target
            )
        await merge(transactions, source, target)

    monkeypatch.setattr(suspecting, "_merge", too_late)
    await look(intake)
    assert (await target_of(intake, second), await said(intake, second)) == (None, [[first]])
