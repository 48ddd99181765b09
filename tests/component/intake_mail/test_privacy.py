"""What is held of a person: shown whole, erased whole, kept under a legal hold, and let go when it is old."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest

from libs.chassis.errors import Conflict
from libs.contracts.conversation import (
    ConversationMessageAdded,
    ConversationRated,
    ConversationStarted,
    TicketRequested,
)
from libs.contracts.ticket import MessageKind, TicketRemoved
from services.intake.acceptance import Incoming, insert_received
from services.intake.blobs import digest
from services.intake.configuration import parse
from services.intake.disclosure import disclosed
from services.intake.domain.appending import note, reply
from services.intake.domain.changing import change
from services.intake.domain.decision import By
from services.intake.domain.message import Message, Visibility
from services.intake.erasing import sweep
from services.intake.erasures import Erasure, Erasures
from services.intake.inbound.reconciling import differences
from services.intake.merges import Merges
from services.intake.people import People
from services.intake.privacy_worker import PrivacyWorker
from services.intake.retention import begin_again, next_due
from services.intake.search_index import index
from services.intake.store import Store
from tests.component.intake.conftest import files
from tests.component.intake.talk import tell
from tests.component.intake_mail.conftest import Post, mail

ADMIN = By("agent:boss", agent="boss", person=True)
MIRA = By.agent_named("mira")
HERS = (
    *("ada@", "lovelace", "love.example", "work.example", "+4930123"),
    *("flicker", "secret of hers", "hall of mirrors", "upset"),
)

"""What nobody may find any more, in small letters."""
LOGO, PHOTO = b"\x89PNG everybody's logo", b"\x89PNG her photo"
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'intake'"


@pytest.fixture(autouse=True)
def fresh(post: Post) -> None:
    post.begin_anew()
    post.say(
        "TRUNCATE customer_identities, customer_log, erasures, conversations, idempotency, retention_progress,"
        " loose_blobs, timeline, ticket_search"
    )
    obey(post)


def obey(post: Post, **retention: float) -> None:
    """Another privacy.yaml comes into force."""
    post.intake.configure({"privacy.yaml": {"retention": retention}})


def with_files(name: str, raw: bytes, *contents: bytes) -> bytes:
    """The mail with these images."""
    written = message_from_bytes(raw, policy=SMTP)
    assert isinstance(written, EmailMessage)
    for place, content in enumerate(contents):
        written.add_attachment(content, "image", "png", filename=f"{name}-{place}.png")
    return written.as_bytes()


async def adas_mail(post: Post, **headers: str) -> str:
    raw = mail("Flicker", "The flicker is a secret of hers.", sender="Ada Lovelace <ada@love.example>", **headers)
    (receipt,) = await post.deliver(with_files("lovelace", raw, LOGO, PHOTO))
    return str(receipt["ticket_id"])


async def bobs_mail(post: Post) -> str:
    raw = mail("Order", "I am bob", sender="bob@bob.example", message_id="<b@bob.example>")
    (receipt,) = await post.deliver(with_files("logo", raw, LOGO))
    return str(receipt["ticket_id"])


async def customer_of(post: Post, ticket: str) -> str:
    return str((await post.ticket(ticket))["customer_id"])


async def answered(post: Post, ticket: str) -> None:
    async with post.intake.transactions.begin() as transaction:
        store = Store(transaction)
        before = (await store.tickets([ticket]))[ticket]
        said = Message(
            store.identities.new(), MessageKind.AGENT, "Dear Lovelace", transaction.now, "email", author="mira"
        )
        first = reply(before, said, None, store.statuses, transaction.now, MIRA)
        remark = Message(
            store.identities.new(), None, "she is upset", transaction.now, "api", visibility=Visibility.INTERNAL
        )
        await store.save([first.then(note(first.ticket, remark, transaction.now, MIRA))])


async def become(post: Post, ticket: str, *statuses: str) -> None:
    for status in statuses:
        async with post.intake.transactions.begin() as transaction:
            store = Store(transaction)
            before = (await store.tickets([ticket]))[ticket]
            await store.save([change(before, {"status": status}, store.statuses, transaction.now, MIRA)])


async def ask(post: Post, customer: str) -> Erasure:
    async with post.intake.transactions.begin() as transaction:
        return await Erasures(Store(transaction)).ask(customer, ADMIN)


async def erase(post: Post, customer: str) -> Erasure:
    await ask(post, customer)
    await work_off(post)
    async with post.intake.transactions.begin() as transaction:
        found = await Erasures(Store(transaction)).of(customer)
    assert found is not None
    return found


async def work_off(post: Post, worker: PrivacyWorker | None = None) -> None:
    worker = worker or PrivacyWorker()
    while await worker.work_off(post.intake.transactions):
        continue


async def everything(post: Post) -> dict[str, str]:
    """Every row of every table of intake, as text in small letters."""
    found: dict[str, str] = {}
    for row in await post.intake.fetch(TABLES):
        rows = await post.intake.fetch(f"SELECT x::text AS line FROM {row['tablename']} x")
        found[row["tablename"]] = "\n".join(each["line"] for each in rows).lower()
    blobs = await post.intake.fetch("SELECT content FROM blobs")
    found["blobs"] = "\n".join(bytes(each["content"]).decode("latin-1") for each in blobs).lower()
    answers = await post.intake.fetch("SELECT response FROM idempotency")
    found["idempotency"] = "\n".join(bytes(each["response"]).decode() for each in answers).lower()
    return found


def traces(found: dict[str, str], marks: Iterable[str] = HERS) -> dict[str, set[str]]:
    """Where which of these can be found."""
    return {table: hits for table, text in found.items() if (hits := {mark for mark in marks if mark in text})}


async def test_D21_of_an_erased_person_nothing_is_found_in_any_table_and_others_keep_theirs(post: Post) -> None:
    ticket, bobs = await adas_mail(post, message_id="<1@mail.example>"), await bobs_mail(post)
    await answered(post, ticket)
    post.say(f"INSERT INTO participants (ticket_id, email) VALUES ('{bobs}', 'ada@love.example')")
    hers = mail("Re: Order", "me too, says lovelace", sender="ada@love.example", in_reply_to="<b@bob.example>")
    (joined,) = await post.deliver(hers)
    assert joined["ticket_id"] == bobs
    customer = await customer_of(post, ticket)
    await tell(
        post.intake,
        ConversationStarted(conversation_id="c1", email="ada@love.example", name="Lovelace", url="https://c/ada@"),
        ConversationMessageAdded(conversation_id="c1", seq=1, role="customer", text="the hall of mirrors"),
        TicketRequested(conversation_id="c1", summary="Lovelace is upset", topic="light"),
        ConversationRated(conversation_id="c1", score=1, comment="upset"),
    )
    async with post.intake.transactions.begin() as transaction:
        people = People(Store(transaction), MIRA)
        ada = (await people.locked([customer]))[customer]
        ada = await people.link(ada, "phone", "+49301234")
        await people.link(ada, "email", "ada@work.example")
        await transaction.connection.execute(
            "INSERT INTO idempotency (caller, key, request_hash, status, response) VALUES ('a', 'k', 'h', 200, $1)",
            f'{{"name": "Lovelace", "customer": "{customer}"}}'.encode(),
        )
    suspended = mail("Out of office", "lovelace is away", sender="ada@work.example", auto_submitted="auto-replied")
    await post.deliver(suspended)
    async with post.intake.pool.connection() as connection:
        await index(connection, [row["id"] for row in await connection.fetch("SELECT id FROM tickets")])
    assert traces(await everything(post)).keys() >= {
        *("customers", "customer_identities", "tickets", "messages", "conversations", "inbound_mail", "participants"),
        *("blobs", "idempotency", "ticket_search"),
    }
    post.intake.outgoing.clear()

    erasure = await erase(post, customer)
    assert (erasure.state, erasure.tickets, erasure.asked_by) == ("done", 2, "agent:boss")
    after = await everything(post)
    assert traces(after) == {}
    removed = {fact.subject for fact in post.intake.said() if fact.type == TicketRemoved.TYPE}
    assert removed == {row["id"] for row in await post.intake.fetch("SELECT id FROM tickets WHERE id <> $1", bobs)}
    again = "".join(fact.payload.decode().lower() for fact in await post.intake.said_again(ticket))
    assert not [mark for mark in HERS if mark in again], "nor is it said again"
    left = await post.messages(bobs)
    assert [each["text"].strip() for each in left] == ["I am bob", ""]
    blobs = {row["sha256"] for row in await post.intake.fetch("SELECT sha256 FROM blobs")}
    assert digest(LOGO) in blobs, "bob has it too"
    assert digest(PHOTO) not in blobs
    async with post.intake.pool.connection() as connection:
        assert await differences(connection, post.intake.clock.now()) == []


async def test_D21_erasing_is_asked_once_done_once_and_kept_with_who_asked(post: Post) -> None:
    ticket = await adas_mail(post)
    customer = await customer_of(post, ticket)
    done = await erase(post, customer)
    assert await erase(post, customer) == done
    log = await post.intake.fetch("SELECT action, actor FROM customer_log WHERE customer_id = $1 ORDER BY id", customer)
    assert [(row["action"], row["actor"]) for row in log] == [("erasure_asked", "agent:boss"), ("erased", "agent:boss")]
    again = await adas_mail(post, message_id="<2@mail.example>")
    assert again != ticket
    assert await customer_of(post, again) != customer, "who writes again is somebody new"


async def test_D21_a_crash_between_two_steps_leaves_nothing_out(post: Post) -> None:
    tickets = [await adas_mail(post, message_id=f"<{n}@mail.example>") for n in range(3)]
    customer = await customer_of(post, tickets[0])
    await ask(post, customer)
    async with post.intake.transactions.begin() as transaction:
        assert await Erasures(Store(transaction)).step()
    with pytest.raises(ZeroDivisionError):
        await _dying(post)
    assert traces(await everything(post)).keys() >= {"customers", "inbound_mail"}
    await work_off(post)
    assert traces(await everything(post)) == {}


async def _dying(post: Post) -> None:
    """A step whose process dies before the commit."""
    async with post.intake.transactions.begin() as transaction:
        assert await Erasures(Store(transaction)).step()
        raise ZeroDivisionError


async def test_D21_a_legal_hold_keeps_everything_until_it_is_lifted(post: Post) -> None:
    ticket = await adas_mail(post)
    customer = await customer_of(post, ticket)
    await become(post, ticket, "resolved", "closed")
    await hold(post, customer, "case 4711")
    with pytest.raises(Conflict) as refused:
        await ask(post, customer)
    assert refused.value.members["legal_hold"] == "case 4711"
    obey(post, raw_mail_days=1, closed_ticket_days=2)
    post.intake.wait(days=3)
    await work_off(post)
    assert traces(await everything(post)).keys() >= {"messages", "inbound_mail", "blobs"}
    await hold(post, customer, None)
    await work_off(post)
    assert traces(await everything(post)).keys() == {"customers"}, "contents go, the customer stays one"


async def test_D21_a_hold_laid_on_somebody_stops_what_was_asked_and_goes_with_a_merged_record(post: Post) -> None:
    ticket = await adas_mail(post)
    customer = await customer_of(post, ticket)
    await ask(post, customer)
    await hold(post, customer, "case 4711")
    await work_off(post)
    assert (await post.ticket(ticket))["removed"] is None
    other = await customer_of(post, await bobs_mail(post))
    async with post.intake.transactions.begin() as transaction:
        people = People(Store(transaction), ADMIN)
        found = await people.locked([customer, other])
        await people.merge(found[other], [found[customer]])
    with pytest.raises(Conflict):
        await ask(post, other)


async def hold(post: Post, customer: str, reason: str | None) -> None:
    async with post.intake.transactions.begin() as transaction:
        people = People(Store(transaction), ADMIN)
        await people.hold((await people.locked([customer]))[customer], reason)
        if reason is None:
            await begin_again(transaction.connection)


async def test_D21_raw_mails_go_when_they_are_old_and_tickets_keep_what_was_written(post: Post) -> None:
    obey(post, raw_mail_days=10)
    old = await adas_mail(post)
    post.intake.wait(days=6)
    young = await adas_mail(post, message_id="<young@mail.example>")
    worker = PrivacyWorker()
    await work_off(post, worker)
    assert len(await post.intake.fetch("SELECT 1 FROM blobs WHERE size > 100")) == 2
    post.intake.wait(days=5)
    await work_off(post, worker)
    rows = {row["ticket_id"]: row for row in await post.intake.fetch("SELECT * FROM inbound_mail")}
    assert (rows[old]["blob"], rows[old]["author"], rows[old]["reason"]) == ("", None, "erased")
    assert rows[young]["author"] == "ada@love.example"
    blobs = {row["sha256"] for row in await post.intake.fetch("SELECT sha256 FROM blobs")}
    assert blobs == {digest(LOGO), digest(PHOTO), rows[young]["blob"]}
    assert "flicker" in (await post.messages(old))[0]["text"]
    async with post.intake.pool.connection() as connection:
        assert await differences(connection, post.intake.clock.now()) == []
        rules = parse({**files(), "privacy.yaml": {"retention": {"raw_mail_days": 10}}}).retention
        assert await next_due(connection, rules) == rows[young]["received_at"] + timedelta(days=10)


async def test_D21_contents_of_closed_tickets_go_with_what_was_merged_into_them_and_open_ones_stay(post: Post) -> None:
    obey(post, closed_ticket_days=30)
    closed = await adas_mail(post)
    part = await adas_mail(post, message_id="<part@mail.example>")
    still_open = await adas_mail(post, message_id="<open@mail.example>")
    async with post.intake.transactions.begin() as transaction:
        merges = Merges(Store(transaction), MIRA)
        await merges.merge(*await merges.target(closed, [part]), confirmed=False)
    worker = PrivacyWorker()
    post.intake.wait(days=31)
    await work_off(post, worker)
    assert [(await post.ticket(each))["removed"] for each in (closed, part, still_open)] == [None] * 3
    await become(post, closed, "resolved", "closed")
    post.intake.outgoing.clear()
    post.intake.wait(days=29)
    await work_off(post, worker)
    assert (await post.ticket(closed))["removed"] is None
    post.intake.wait(days=2)
    await work_off(post, worker)
    assert [(await post.ticket(each))["removed"] for each in (closed, part, still_open)] == ["erased", "erased", None]
    assert [each["text"] for each in (*await post.messages(closed), *await post.messages(part))] == ["", ""]
    assert "flicker" in (await post.messages(still_open))[0]["text"]
    assert {fact.subject for fact in post.intake.said()} == {closed, part}
    row = await post.ticket(closed)
    assert (row["status"], row["subject"], row["reference"] != "") == ("closed", "", True)


async def test_D21_a_blob_is_not_deleted_under_a_mail_that_just_comes_with_it(post: Post) -> None:
    """The same bytes come in while their last reference goes: the mail that was accepted keeps them."""
    raw = mail("Flicker", "again")
    async with post.intake.pool.connection() as connection:
        await connection.execute("INSERT INTO loose_blobs VALUES ($1)", digest(raw))
        await connection.execute("INSERT INTO blobs VALUES ($1, 1, $2)", digest(raw), raw)
    began, may_end = asyncio.Event(), asyncio.Event()

    async def accept() -> None:
        async with post.intake.transactions.begin() as transaction:
            await insert_received(transaction.connection, [Incoming(raw, "smtp")], transaction.now)
            began.set()
            await may_end.wait()

    async def sweeping() -> int:
        await began.wait()
        asyncio.get_running_loop().call_later(0.2, may_end.set)
        async with post.intake.transactions.begin() as transaction:
            return await sweep(transaction.connection)

    _, deleted = await asyncio.gather(accept(), sweeping())
    assert deleted == 0
    assert len(await post.intake.fetch("SELECT 1 FROM blobs WHERE sha256 = $1", digest(raw))) == 1
    await post.work_off()


async def test_D21_an_export_has_all_of_a_person_and_nothing_of_others(post: Post) -> None:
    ticket, bobs = await adas_mail(post), await bobs_mail(post)
    await answered(post, ticket)
    post.say(f"INSERT INTO participants (ticket_id, email) VALUES ('{bobs}', 'ada@love.example')")
    await post.deliver(mail("Re: Order", "me too", sender="ada@love.example", in_reply_to="<b@bob.example>"))
    customer = await customer_of(post, ticket)
    document = await export(post, customer)
    assert [each["email"] for each in document["records"]] == ["ada@love.example"]
    assert [each["id"] for each in document["tickets"]] == [ticket]
    assert sorted((each["ticket_id"] == bobs, each["kind"]) for each in document["messages"]) == [
        (False, "agent"),
        (False, "customer"),
        (True, "customer"),
    ]
    assert {each["sha256"] for each in document["attachments"]} == {digest(LOGO), digest(PHOTO)}
    assert len(document["mails"]) == 2
    assert {each["ticket_id"] for each in document["participates_in"]} == {ticket, bobs}
    assert "bob" not in str({**document, "participates_in": [], "mails": []}).replace(bobs, "").lower()
    assert "upset" not in str(document), "a note stays inside (N-1)"
    assert "upset" in str(await export(post, customer, notes=True))
    async with post.intake.pool.connection() as connection:
        assert await disclosed(connection, "nobody", post.intake.clock.now(), notes=False) is None


async def export(post: Post, customer: str, *, notes: bool = False) -> dict[str, Any]:
    async with post.intake.pool.connection() as connection:
        found = await disclosed(connection, customer, post.intake.clock.now(), notes=notes)
    assert found is not None
    return found


def test_the_raw_mail_never_stays_longer_than_the_contents_of_its_ticket() -> None:
    rules = parse(
        {**files(), "privacy.yaml": {"retention": {"raw_mail_days": 365, "closed_ticket_days": 30}}}
    ).retention
    assert rules.raw_mails == rules.closed_tickets == timedelta(days=30)
    with pytest.raises(ValueError, match=r"privacy\.yaml: retention\.raw_mail_days"):
        parse({**files(), "privacy.yaml": {"retention": {"raw_mail_days": 0}}})
