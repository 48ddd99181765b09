"""Search by words: what is found, by whom, and what never is (docs/search.md)."""

from dataclasses import replace

import pytest

from libs.conditions.reading import Context
from libs.conditions.where_text import parse_where
from libs.contracts.ticket import MessageKind
from services.intake.customers import Contact, Customers
from services.intake.domain.appending import append_message, note
from services.intake.domain.changing import change
from services.intake.domain.decision import CUSTOMER, By
from services.intake.domain.message import Message, Visibility
from services.intake.domain.opening import Opening, open_ticket
from services.intake.erasing import Erasing
from services.intake.folders import Sort
from services.intake.listing import page
from services.intake.questions import Question, count
from services.intake.search_index import Indexer
from services.intake.search_words import Unsearchable, read_search
from services.intake.sifting import tickets_of
from services.intake.store import Store
from services.intake.word_lookup import looked_up
from tests.component.intake.conftest import Intake

MIRA = By.agent_named("mira")


async def opened(intake: Intake, subject: str, text: str, language: str | None = None, **contact: str) -> str:
    intake.wait(seconds=1)
    async with intake.transactions.begin() as transaction:
        store = Store(transaction)
        (customer,) = await Customers(transaction.connection, store.identities).of([Contact(**contact)])
        (reference,) = await store.references(1)
        first = Message(store.identities.new(), MessageKind.CUSTOMER, text, transaction.now, "email")
        opening = Opening(
            id=store.identities.new(),
            reference=reference,
            channel="email",
            subject=subject,
            customer=customer,
            first=first,
            messages=(first,),
            customer_messages=1,
            language=language,
        )
        decision = open_ticket(opening, store.statuses, transaction.now, CUSTOMER)
        await store.save([decision])
    return decision.ticket.id


async def written_on(intake: Intake, id: str, kind: str, text: str) -> None:
    intake.wait(seconds=1)
    async with intake.transactions.begin() as transaction:
        store = Store(transaction)
        ticket = (await store.tickets([id]))[id]
        message = Message(store.identities.new(), MessageKind.CUSTOMER, text, transaction.now, "email")
        if kind == "note":
            await store.save([note(ticket, replace(message, author="mira"), transaction.now, MIRA)])
        else:
            message = replace(message, visibility=Visibility(kind))
            await store.save([append_message(ticket, message, store.statuses, transaction.now, CUSTOMER)])


async def find(intake: Intake, text: str, *, notes: bool = True, where: str = "status is set") -> set[str]:
    search = read_search(text, notes=notes)
    question = Question(parse_where(where), Context(now=intake.clock.now()), search=search)
    async with intake.transactions.begin() as transaction:
        page = await tickets_of(transaction.connection, question, Sort.LATEST, 50, None)
    return {row["id"] for row in page.items}


async def indexed(intake: Intake) -> None:
    more = True
    while more:
        _, more = await Indexer().follow(intake.pool)


@pytest.fixture(scope="module")
async def tickets(intake: Intake) -> dict[str, str]:
    made = {
        "lamp": await opened(intake, "Broken lamp", "It flickers all nights", name="Zoë Ahlström", email="zoe@lamp.se"),
        "german": await opened(intake, "Rechnung", "Die Häuser brannten, Bestellung 48-112", "de", email="uwe@haus.de"),
        "japanese": await opened(intake, "返金 お願いします", "返金 してください", "ja", email="rin@example.jp"),
        "card": await opened(intake, "Payment", "my card is an invalid card", "en-GB", email="pat@pay.example"),
    }
    await indexed(intake)
    return made


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("lamp", {"lamp"}),
        ("LAMPS", {"lamp"}),
        ("flickering night", {"lamp"}),
        ("zoë", {"lamp"}),
        ("zoe@lamp.se", {"lamp"}),
        ("zoe@", {"lamp"}),
        ("Haus", {"german"}),
        ("bestellungen", {"german"}),
        ("48-112", {"german"}),
        ("返金", {"japanese"}),
        ('"invalid card"', {"card"}),
        ('"card invalid"', set()),
        ("card -lamp", {"card"}),
        ("card -invalid", set()),
        ("paym*", {"card"}),
        ("paym", set()),
        ("lamp card", set()),
        ("it's \\ ' :* & | !", {"lamp"}),
        ("nothing", set()),
    ],
)
async def test_words_of_subject_messages_and_customer_are_found_in_any_form(
    intake: Intake, tickets: dict[str, str], text: str, found: set[str]
) -> None:
    names = {id: name for name, id in tickets.items()}
    assert {names[id] for id in await find(intake, text)} == found


async def test_a_reference_is_found_at_once_and_numbers_of_orders_beside_it(
    intake: Intake, tickets: dict[str, str]
) -> None:
    (row,) = await intake.fetch("SELECT reference FROM tickets WHERE id = $1", tickets["card"])
    await written_on(intake, tickets["lamp"], "public", f"as in order {row['reference']}")
    assert await find(intake, f"#{row['reference']}") == {tickets["card"]}
    await indexed(intake)
    assert await find(intake, row["reference"]) == {tickets["card"], tickets["lamp"]}
    assert await find(intake, f"#{row['reference']}") == {tickets["card"]}


async def test_N1_notes_are_found_by_agents_only(intake: Intake, tickets: dict[str, str]) -> None:
    await written_on(intake, tickets["card"], "note", "probably fraudulent")
    await indexed(intake)
    assert await find(intake, "fraud*") == await find(intake, "fraudulent") == {tickets["card"]}
    for text in ("fraudulent", "fraud*", '"probably fraudulent"'):
        assert await find(intake, text, notes=False) == set()
    assert await find(intake, "invalid", notes=False) == {tickets["card"]}


async def test_what_a_stranger_wrote_and_nobody_accepted_is_not_found(intake: Intake, tickets: dict[str, str]) -> None:
    await written_on(intake, tickets["card"], "unverified", "buy cheap watches")
    await indexed(intake)
    assert await find(intake, "watches") == set()


async def test_later_messages_and_subjects_are_found_and_old_subjects_no_more(
    intake: Intake, tickets: dict[str, str]
) -> None:
    await written_on(intake, tickets["lamp"], "public", "it smells of ozone")
    async with intake.transactions.begin() as transaction:
        store = Store(transaction)
        ticket = (await store.tickets([tickets["lamp"]]))[tickets["lamp"]]
        wanted = {"subject": "Chandelier"}
        await store.save([change(ticket, wanted, store.statuses, transaction.now, MIRA)])
    assert await find(intake, "ozone") == set()
    await indexed(intake)
    assert await find(intake, "ozone chandelier") == {tickets["lamp"]}
    assert await find(intake, "broken") == set()
    assert await find(intake, "ozone", where="status_category = resolved") == set()


async def test_what_was_erased_is_found_no_more_even_if_it_was_being_indexed(intake: Intake) -> None:
    id = await opened(intake, "Zebra", "my zebra limps", email="zed@zoo.example")
    async with intake.transactions.begin() as transaction:
        assert await Erasing(Store(transaction), MIRA).tickets([id]) == 1
    late = "INSERT INTO ticket_search SELECT $1, to_tsvector('simple', 'zebra') RETURNING ticket_id"
    await intake.fetch(late, id)
    await indexed(intake)
    assert await intake.fetch("SELECT FROM ticket_search WHERE ticket_id = $1", id) == []


async def test_in_a_burst_the_index_waits_but_not_for_long(intake: Intake) -> None:
    made = [await opened(intake, f"burst {number}", "rush", email=f"b{number}@x.example") for number in range(301)]
    oldest, more = await Indexer(patience=60).follow(intake.pool)
    assert oldest is not None
    assert not more
    assert await find(intake, "rush") == set()
    await Indexer(patience=0).follow(intake.pool)
    assert len(await find(intake, "rush", where="status_category = open")) == 50
    assert made[0] in await find(intake, '"burst 0"')


@pytest.mark.parametrize("where", ["status is set", "status_category = open"])
@pytest.mark.parametrize("sort", list(Sort))
async def test_frequent_words_are_found_in_the_same_tickets_another_way(
    intake: Intake, tickets: dict[str, str], sort: Sort, where: str
) -> None:
    search = read_search("it* -chandelier", notes=True)
    asked = Question(parse_where(where), Context(now=intake.clock.now()), search=search, bounded="open" in where)
    async with intake.transactions.begin() as transaction:
        connection = transaction.connection
        words = await looked_up(connection, search)
        assert words is not None
        ids, counts = [], []
        for frequent in (False, True):
            question = replace(asked, words=replace(words, frequent=frequent))
            query = page(question, sort, 50, None)
            ids.append([row["id"] for row in await connection.fetch(query.sql, *query.arguments)])
            sql, arguments, _ = count(question, 50)
            counts.append(tuple((await connection.fetch(sql, *arguments))[0]))
    assert ids[0] == ids[1]
    assert counts == [(len(ids[0]), True)] * 2


@pytest.mark.parametrize("text", ["", "-lamp", "!!!", '""', " ".join(map(str, range(17)))])
def test_a_search_for_nothing_or_too_much_is_refused(text: str) -> None:
    with pytest.raises(Unsearchable):
        read_search(text, notes=True)
