"""Conversations become tickets, whole and once (behaviour C-1 to C-5, S-2, H-4, decisions 5 and 30)."""

import asyncio
import itertools
from datetime import timedelta

import pytest

from libs.chassis.timers import Due
from libs.contracts.conversation import (
    ContactIdentified,
    ConversationMessageAdded,
    ConversationMessageEdited,
    ConversationRated,
    ConversationResolved,
    ConversationStarted,
    HandedOff,
    Role,
    TicketRequested,
)
from libs.contracts.event import Event
from libs.contracts.fact import Fact
from libs.contracts.routing import AgentChanged, Presence, QueueChanged
from libs.contracts.ticket import MessageKind, TicketChanged, TicketMessageAdded, TicketOpened
from services.intake import reading
from services.intake.closing import TIMERS, close
from services.intake.domain.changing import change
from services.intake.domain.decision import By
from services.intake.store import GRACE, Store
from tests.component.intake.conftest import Intake, content
from tests.component.intake.talk import FEED, TRACE, fact, frame, hear, tell

NAMES = itertools.count(1)


@pytest.fixture
def chat(intake: Intake) -> str:
    """A conversation that no other test knows, at an instant of its own."""
    intake.wait(seconds=1)
    intake.outgoing.clear()
    return f"chat-{next(NAMES)}"


def says(chat: str, seq: int, role: str, text: str, author: str | None = None) -> ConversationMessageAdded:
    return ConversationMessageAdded(conversation_id=chat, seq=seq, role=Role(role), text=text, author=author)


def kinds(facts: list[Fact[Event]]) -> list[tuple[int, str]]:
    return [(each.n, type(each.data).__name__) for each in facts]


async def messages(intake: Intake, ticket: str) -> list[tuple[int, str, str]]:
    rows = await intake.fetch("SELECT seq, kind, text FROM messages WHERE ticket_id = $1 ORDER BY seq", ticket)
    return [(row["seq"], row["kind"], row["text"]) for row in rows]


async def set_status(intake: Intake, ticket: str, status: str) -> None:
    async with intake.transactions.begin() as transaction:
        store = Store(transaction)
        before = (await store.tickets([ticket]))[ticket]
        wanted = {"status": status}
        await store.save([change(before, wanted, store.statuses, transaction.now, By.agent_named("mira"))])


async def test_C4_a_hand_off_becomes_a_ticket_with_the_whole_transcript(intake: Intake, chat: str) -> None:
    await tell(
        intake,
        ConversationStarted(conversation_id=chat, url="https://chat.example/7", language="de"),
        says(chat, 1, "customer", "My invoice is wrong\nvery"),
        says(chat, 2, "ai", "I am sorry"),
    )
    await tell(intake, ContactIdentified(conversation_id=chat, name="Ada", email="Ada@Example.org", tier="vip"))
    assert intake.said() == []
    await tell(
        intake,
        says(chat, 3, "customer", "A person please"),
        HandedOff(
            conversation_id=chat, topic="Invoices", reason="asked for a person", summary="wrong sum", kb_ids=("k1",)
        ),
    )
    (opened,) = intake.said()
    data = opened.data
    assert isinstance(data, TicketOpened)
    assert (data.subject, data.text, data.channel) == ("Invoices", "My invoice is wrong\nvery", "chat")
    assert data.customer is not None
    assert (data.customer.name, data.customer.email) == ("Ada", "ada@example.org")
    assert data.conversation is not None
    assert (data.conversation.source, data.conversation.conversation_id) == ("chat", chat)
    assert data.conversation.url == "https://chat.example/7"
    state = opened.ticket
    assert (state.customer_messages, state.human_replies, state.tier, state.language) == (2, 0, "vip", "de")
    assert (state.created_at, state.custom, state.epoch) == (intake.clock.now(), {"topic": "Invoices"}, 0)
    assert (opened.n, opened.actor, opened.trace) == (1, "source:chat", TRACE)
    assert [seq for seq, _, _ in await messages(intake, opened.subject)] == [1, 2, 3]
    (row,) = await intake.fetch("SELECT handoff->>'reason' AS reason FROM tickets WHERE id = $1", opened.subject)
    assert row["reason"] == "asked for a person"


async def test_C1_a_request_said_again_opens_nothing_and_a_second_intent_opens_a_second_ticket(
    intake: Intake, chat: str
) -> None:
    request = TicketRequested(conversation_id=chat, subject="Help")
    await tell(intake, says(chat, 1, "customer", "hi"), request, request)
    await tell(intake, request)
    (first,) = intake.said()
    await tell(intake, TicketRequested(conversation_id=chat, intent_id="refund"))
    (second,) = intake.said()
    assert second.subject != first.subject
    assert isinstance(second.data, TicketOpened)
    assert second.data.text == "hi"
    await tell(intake, says(chat, 2, "customer", "about the refund"))
    (written,) = intake.said()
    assert written.subject == second.subject


async def test_C1_of_two_replicas_that_hear_the_same_request_one_opens_the_ticket(intake: Intake, chat: str) -> None:
    batch = [says(chat, 1, "customer", "hi"), TicketRequested(conversation_id=chat)]
    await asyncio.gather(*(tell(intake, *batch) for _ in range(4)))
    assert kinds(intake.said()) == [(1, "TicketOpened")]


async def test_C2_messages_are_appended_once_and_in_order_of_seq(intake: Intake, chat: str) -> None:
    await tell(intake, says(chat, 1, "customer", "one"), HandedOff(conversation_id=chat))
    await tell(
        intake, says(chat, 7, "customer", "seven"), says(chat, 3, "customer", "three"), says(chat, 1, "customer", "!")
    )
    await tell(intake, says(chat, 7, "customer", "seven"), says(chat, 5, "customer", "five"))
    opened, *added = intake.said()
    texts = [each.data.text for each in added if isinstance(each.data, TicketMessageAdded)]
    assert texts == ["three", "seven", "five"]
    assert [each.n for each in added] == [2, 3, 4]
    assert [text for _, _, text in await messages(intake, opened.subject)] == ["one", "three", "five", "seven"]


async def test_C2_an_edit_is_kept_with_its_message_once_and_changes_nothing_else(intake: Intake, chat: str) -> None:
    await tell(intake, says(chat, 1, "customer", "my pin is 1234"), HandedOff(conversation_id=chat))
    (opened,) = intake.said()
    await set_status(intake, opened.subject, "resolved")
    intake.said()
    edit = ConversationMessageEdited(conversation_id=chat, seq=1, role=Role.CUSTOMER, text="my pin is ****")
    gone = ConversationMessageEdited(conversation_id=chat, seq=1, role=Role.CUSTOMER, deleted=True)
    again = frame(edit)
    for _ in range(2):
        async with intake.transactions.begin() as transaction:
            await FEED.receive([FEED.read(again)], transaction)
    await tell(intake, gone)
    assert intake.said() == []
    async with intake.pool.connection() as connection:
        (read,) = await reading.messages(connection, opened.subject)
    assert read.message.text == "my pin is 1234"
    assert [(each["text"], each["deleted"]) for each in read.revisions] == [("my pin is ****", False), ("", True)]
    assert read.revisions[0]["at"] is not None


async def test_C2_an_edit_that_comes_before_its_message_stands_for_it(intake: Intake, chat: str) -> None:
    edit = ConversationMessageEdited(conversation_id=chat, seq=2, role=Role.CUSTOMER, text="second, better")
    await tell(intake, says(chat, 1, "customer", "first"), HandedOff(conversation_id=chat), edit)
    opened, added = intake.said()
    assert isinstance(added.data, TicketMessageAdded)
    assert added.data.text == "second, better"
    await tell(intake, says(chat, 2, "customer", "second"))
    assert intake.said() == []
    assert [text for _, _, text in await messages(intake, opened.subject)] == ["first", "second, better"]


async def test_C2_a_message_before_the_request_that_comes_after_it_joins_its_ticket(intake: Intake, chat: str) -> None:
    await tell(intake, HandedOff(conversation_id=chat, summary="nothing read yet"), says(chat, 1, "customer", "late"))
    opened, added = intake.said()
    assert isinstance(opened.data, TicketOpened)
    assert (opened.data.subject, opened.data.text) == ("nothing read yet", "")
    assert added.ticket.customer_messages == 1


async def test_decisions_30_a_chat_message_of_a_human_agent_is_an_answer_and_one_of_the_ai_is_not(
    intake: Intake, chat: str
) -> None:
    await tell(intake, says(chat, 1, "customer", "hi"), HandedOff(conversation_id=chat))
    await tell(intake, says(chat, 2, "ai", "still here"), says(chat, 3, "agent", "Mira here", "mira"))
    _, machine, person = intake.said()
    assert isinstance(machine.data, TicketMessageAdded)
    assert isinstance(person.data, TicketMessageAdded)
    assert (machine.data.kind, machine.data.is_human_answer, machine.actor) == (MessageKind.AI, False, "ai")
    assert (person.data.is_human_answer, person.data.author, person.actor) == (True, "mira", "agent:mira")
    assert person.ticket.human_replies == 1


async def test_S2_a_customers_message_reopens_in_the_same_transaction_after_the_message(
    intake: Intake, chat: str
) -> None:
    await tell(intake, says(chat, 1, "customer", "hi"), HandedOff(conversation_id=chat))
    (opened,) = intake.said()
    await set_status(intake, opened.subject, "resolved")
    intake.said()
    await tell(intake, says(chat, 2, "ai", "bye"), says(chat, 3, "customer", "not solved"))
    machine, written, changed = intake.said()
    assert machine.ticket.status == written.ticket.status == "resolved"
    assert isinstance(changed.data, TicketChanged)
    assert (changed.data.reopened, changed.ticket.status, changed.ticket.resolved_at) == (True, "open", None)
    assert await intake.fetch("SELECT * FROM timers WHERE key = $1", opened.subject) == []


async def test_H4_C3_a_message_to_a_closed_ticket_opens_a_follow_up(intake: Intake, chat: str) -> None:
    await tell(
        intake,
        says(chat, 1, "customer", "hi"),
        TicketRequested(conversation_id=chat, subject="Lamp", priority="high", category="billing", tags=("refund",)),
    )
    (opened,) = intake.said()
    await set_status(intake, opened.subject, "resolved")
    await set_status(intake, opened.subject, "closed")
    intake.said()
    await tell(intake, says(chat, 2, "ai", "anything else?"), says(chat, 3, "customer", "it broke again"))
    await tell(intake, says(chat, 4, "customer", "again!"))
    follow_up, written = intake.said()
    assert isinstance(follow_up.data, TicketOpened)
    assert (follow_up.data.follow_up_of, follow_up.data.subject) == (opened.subject, "Lamp")
    assert follow_up.data.text == "it broke again"
    state = follow_up.ticket
    assert (state.priority, state.assignee, state.category, state.tags) == (None, None, "billing", ("refund",))
    assert written.subject == follow_up.subject
    assert [seq for seq, _, _ in await messages(intake, follow_up.subject)] == [2, 3, 4]


async def test_what_the_person_who_asks_chose_is_theirs_and_unknown_agents_are_left_to_routing(
    intake: Intake, chat: str
) -> None:
    mira = AgentChanged(key="mira", active=True, presence=Presence.ONLINE)
    billing = QueueChanged(key="billing", name="Billing")
    await hear(intake, [fact(mira, "agent:mira", 1, intake), fact(billing, "queue:billing", 1, intake)])
    known = TicketRequested(conversation_id=chat, assignee="mira", queue="billing", email="BO@example.org")
    unknown = TicketRequested(conversation_id=f"{chat}b", assignee="nobody", queue="nowhere", priority="low")
    await tell(intake, known, unknown)
    first, second = intake.said()
    assert (first.ticket.assignee, first.ticket.queue) == ("mira", "billing")
    assert isinstance(first.data, TicketOpened)
    assert first.data.customer is not None
    assert first.data.customer.email == "bo@example.org"
    assert (second.ticket.assignee, second.ticket.queue, second.ticket.priority) == (None, None, "low")
    rows = await intake.fetch("SELECT set_by_person FROM tickets WHERE id = $1", first.subject)
    assert rows == [{"set_by_person": ["assignee", "queue"]}]


async def test_C5_a_visitor_who_is_known_later_becomes_the_tickets_customer(intake: Intake, chat: str) -> None:
    await tell(intake, says(chat, 1, "customer", "hi"), HandedOff(conversation_id=chat))
    await tell(intake, ContactIdentified(conversation_id=chat, email="cy@example.org", tier="gold"))
    opened, changed = intake.said()
    assert changed.ticket.tier == "gold"
    rows = await intake.fetch(
        "SELECT c.email FROM tickets t JOIN customers c ON c.id = t.customer_id WHERE t.id = $1", opened.subject
    )
    assert rows == [{"email": "cy@example.org"}]


async def test_conversations_without_a_ticket_go_after_thirty_days_and_others_stay(intake: Intake, chat: str) -> None:
    """decisions 5."""
    await tell(intake, says(chat, 1, "customer", "just looking"))
    await tell(intake, says(f"{chat}b", 1, "customer", "help"), HandedOff(conversation_id=f"{chat}b"))
    (timer,) = await intake.fetch("SELECT key, kind, due_at FROM timers WHERE kind = 'expire_conversations'")
    intake.wait(days=31)
    assert timer["due_at"] <= intake.clock.now()
    async with intake.transactions.begin() as transaction:
        await TIMERS[timer["kind"]].fire([Due(**timer)], transaction)
    left = await intake.fetch("SELECT conversation_id FROM messages WHERE conversation_id LIKE $1 || '%'", chat)
    assert left == [{"conversation_id": f"{chat}b"}]
    assert await intake.fetch("SELECT 1 FROM conversations WHERE conversation_id = $1", chat) == []


async def test_how_a_conversation_ended_is_kept(intake: Intake, chat: str) -> None:
    await tell(
        intake,
        ConversationResolved(conversation_id=chat, resolved_at=intake.clock.now()),
        ConversationRated(conversation_id=chat, score=4, comment="fine"),
    )
    rows = await intake.fetch("SELECT resolved_at, score, comment FROM conversations WHERE conversation_id = $1", chat)
    assert rows == [{"resolved_at": intake.clock.now(), "score": 4, "comment": "fine"}]


async def test_what_was_said_about_a_chat_can_be_said_again(intake: Intake, chat: str) -> None:
    """decisions 3: fallback of the relay, repair, rebuild."""
    await tell(intake, says(chat, 1, "customer", "hello\x00 there"), HandedOff(conversation_id=chat))
    await tell(intake, ContactIdentified(conversation_id=f"{chat}x", email="x@example.org"))
    await tell(intake, says(chat, 2, "agent", "hi", "mira"), says(chat, 3, "customer", "ok"))
    published = intake.said()
    assert len(published) == 3
    assert content(await intake.said_again(published[0].subject)) == content(published)


async def test_K1_K2_a_resolved_ticket_closes_in_time_unless_somebody_writes(intake: Intake, chat: str) -> None:
    for name in (chat, f"{chat}b"):
        await tell(intake, says(name, 1, "customer", "hi"), HandedOff(conversation_id=name))
    quiet, active = (each.subject for each in intake.said())
    for ticket in (quiet, active):
        await set_status(intake, ticket, "resolved")
    intake.wait(hours=71)
    await tell(intake, says(f"{chat}b", 2, "agent", "one more thing", "mira"))
    intake.wait(hours=1)
    intake.said()
    async with intake.transactions.begin() as transaction:
        await close(
            [Due(quiet, "auto_close", transaction.now), Due(active, "auto_close", transaction.now)], transaction
        )
    (changed,) = intake.said()
    assert (changed.subject, changed.ticket.status, changed.actor) == (quiet, "closed", "system")
    (timer,) = await intake.fetch("SELECT due_at FROM timers WHERE key = $1", active)
    assert timer["due_at"] - GRACE - intake.clock.now() == timedelta(hours=71)
