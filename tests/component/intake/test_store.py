"""Tickets survive their tables unchanged, and their facts can be said again from them."""

from dataclasses import replace
from datetime import timedelta

from libs.contracts.conversation import ConversationStarted
from libs.contracts.ticket import Attachment, ConversationLink, InboundMail, MessageKind, Outbound
from services.intake.customers import Contact, Customers
from services.intake.domain.appending import append_message, note, reply
from services.intake.domain.changing import change
from services.intake.domain.decision import CUSTOMER, By
from services.intake.domain.message import Message
from services.intake.domain.opening import Opening, open_ticket
from services.intake.domain.ticket import Ticket
from services.intake.store import GRACE, Store
from tests.component.intake.conftest import Intake, content
from tests.component.intake.talk import tell

MIRA = By.agent_named("mira")


async def opened(intake: Intake, **fields: object) -> Ticket:
    conversation = opening_id(intake)
    await tell(intake, ConversationStarted(conversation_id=conversation, url="https://c/1"))
    async with intake.transactions.begin() as transaction:
        store = Store(transaction)
        customers = Customers(transaction.connection, store.identities)
        (customer,) = await customers.of([Contact("Ada", "ada@example.org", tier="vip")])
        first = Message(
            store.identities.new(),
            MessageKind.CUSTOMER,
            "It hurts\nhere: ß",
            transaction.now,
            "email",
            mail=InboundMail(message_id="a@b", references=("x@y",), return_path="ada@example.org"),
            attachments=(Attachment(id="1", name="a.txt", content_type="text/plain", size=1, sha256="00"),),
        )
        (reference,) = await store.references(1)
        opening = Opening(
            id=store.identities.new(),
            reference=reference,
            channel="email",
            subject="It hurts",
            customer=customer,
            first=first,
            messages=(first,),
            customer_messages=1,
            tags=("b", "a"),
            custom={"order": "48", "size": 3, "new": True},
            chosen=frozenset({"custom.order", "priority"}),
            conversation=ConversationLink(source="chat", conversation_id=conversation, url="https://c/1"),
            handoff='{"topic": "pain"}',
            mailbox="help@example.com",
        )
        decision = open_ticket(opening, store.statuses, transaction.now, CUSTOMER)
        await store.save([decision])
    return decision.ticket


def opening_id(intake: Intake) -> str:
    return str(len(intake.outgoing)) + intake.clock.now().isoformat()


async def load(intake: Intake, id: str) -> Ticket:
    async with intake.transactions.begin() as transaction:
        return (await Store(transaction).tickets([id]))[id]


async def test_a_ticket_comes_back_from_its_row_as_it_was(intake: Intake) -> None:
    ticket = await opened(intake)
    assert await load(intake, ticket.id) == ticket


async def test_a_changed_ticket_comes_back_as_it_became(intake: Intake) -> None:
    intake.wait(seconds=1)
    ticket = await opened(intake)
    async with intake.transactions.begin() as transaction:
        store = Store(transaction)
        before = (await store.tickets([ticket.id]))[ticket.id]
        wanted = {"status": "resolved", "priority": "high", "tags": ("z",), "custom": {"size": None, "color": "red"}}
        decision = change(before, wanted, store.statuses, transaction.now, MIRA)
        await store.save([decision])
    assert await load(intake, ticket.id) == decision.ticket
    assert decision.ticket.close_at == transaction.now + timedelta(hours=72)
    timers = await intake.fetch("SELECT kind, due_at FROM timers WHERE key = $1", ticket.id)
    assert timers == [{"kind": "auto_close", "due_at": decision.ticket.close_at + GRACE}]


async def test_of_several_decisions_about_a_ticket_the_last_is_stored_and_all_are_said_in_order(intake: Intake) -> None:
    intake.wait(seconds=1)
    ticket = await opened(intake)
    intake.said()
    async with intake.transactions.begin() as transaction:
        store = Store(transaction)
        before = (await store.tickets([ticket.id]))[ticket.id]
        message = Message(store.identities.new(), MessageKind.CUSTOMER, "still", transaction.now, "email")
        first = append_message(before, message, store.statuses, transaction.now, CUSTOMER)
        second = change(first.ticket, {"queue": "billing"}, store.statuses, transaction.now, MIRA)
        await store.save([first, second])
    assert [(fact.n, fact.type.split(".")[2]) for fact in intake.said()] == [(2, "message-added"), (3, "changed")]
    assert await load(intake, ticket.id) == second.ticket


async def test_facts_said_again_from_the_tables_equal_what_was_published_from_memory(intake: Intake) -> None:
    """decisions 3 and 21: the relay's fallback and /v1/events."""
    intake.wait(seconds=1)
    intake.outgoing.clear()
    ticket = await opened(intake)
    async with intake.transactions.begin() as transaction:
        store = Store(transaction)
        before = (await store.tickets([ticket.id]))[ticket.id]
        outbound = Outbound(to="ada@example.org", sender="help@example.com", subject="Re: It hurts", message_id="t.1")
        answer = Message(
            store.identities.new(), MessageKind.AGENT, "Rest. " * 20_000, transaction.now, "email", author="mira"
        )
        remark = replace(answer, id=store.identities.new(), text="sounds bad")
        first = reply(before, replace(answer, outbound=outbound), "pending", store.statuses, transaction.now, MIRA)
        await store.save([first, note(first.ticket, remark, transaction.now, MIRA)])
    published = intake.said()
    assert len(published) == 4
    assert content(await intake.said_again(ticket.id)) == content(published)
