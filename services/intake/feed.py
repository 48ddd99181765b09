"""What sources say about conversations becomes tickets and messages: a batch in one transaction (decisions 5).

A conversation is claimed before anything is decided about it, so that of two replicas one waits; a message is stored
once by (source, conversation, seq), a ticket is opened once by (source, conversation, intent).
"""

from collections.abc import Sequence
from datetime import timedelta

from libs.chassis.feed import Feed, Said
from libs.chassis.timers import Due
from libs.chassis.transaction import Transaction
from libs.contracts.conversation import (
    ContactIdentified,
    ConversationMessageAdded,
    ConversationMessageEdited,
    ConversationRated,
    ConversationResolved,
    ConversationStarted,
    Escalation,
    HandedOff,
    TicketRequested,
)
from services.intake.chat_deciding import Outcome, decide
from services.intake.chat_loading import load
from services.intake.chats import Chat, sort_out
from services.intake.conversations import Conversations, Key
from services.intake.customers import Customers
from services.intake.store import Store

DOOR = "conversations"
EXPIRE = "expire_conversations"
"""The kind of timer that deletes conversations nobody wanted a ticket from; its key is a day."""
KEPT = timedelta(days=30)

LISTENS = (
    ConversationStarted,
    ContactIdentified,
    ConversationMessageAdded,
    ConversationMessageEdited,
    HandedOff,
    TicketRequested,
    ConversationResolved,
    ConversationRated,
)
PATIENCE = {event.NAME: 0.02 for event in LISTENS if not issubclass(event, Escalation)}
"""What is said in a chat mostly comes just before the request for a ticket, and is cheaper stored with it."""


def conversations_feed() -> Feed:
    """The feed of the stream CONVERSATIONS."""
    return Feed(DOOR, {event.NAME: event for event in LISTENS}, hear)


async def hear(said: Sequence[Said], transaction: Transaction) -> None:
    """Claim, load, decide, store: once for the batch."""
    store = Store(transaction, last=True)
    await take_in(sort_out(said, store.identities), store)


async def take_in(chats: dict[Key, Chat], store: Store) -> Outcome:
    """Store what was said about conversations, and what follows from it."""
    transaction = store.transaction
    conversations = Conversations(transaction.connection)
    loaded = await load(chats, conversations, store)
    outcome = decide(chats, loaded, store.statuses, transaction.now)
    await conversations.take(outcome.taking)
    await store.save(outcome.decisions)
    await store.store_messages(outcome.waiting)
    await Customers(transaction.connection, store.identities).absorb(outcome.absorbed)
    await conversations.link(outcome.links)
    await conversations.revise([edit for chat in chats.values() for edit in chat.edits])
    await conversations.mark({key: chat.mark for key, chat in chats.items() if chat.mark is not None})
    if len(outcome.linked) < len(chats):
        _keep_for_a_while(transaction)
    return outcome


async def expire(due: Sequence[Due], transaction: Transaction) -> None:
    """Delete conversations without a ticket that were silent for 30 days."""
    await Conversations(transaction.connection).expire(transaction.now - KEPT)


async def lock_nothing(keys: Sequence[str], transaction: Transaction) -> None:
    """The keys are days: there is no row behind them."""


def _keep_for_a_while(transaction: Transaction) -> None:
    """One timer a day for all that was silent since that day."""
    day = transaction.now.replace(hour=0, minute=0, second=0, microsecond=0)
    transaction.arm(f"{day:%Y-%m-%d}", EXPIRE, day + timedelta(days=1) + KEPT)
