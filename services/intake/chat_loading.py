"""Everything that the decisions about a batch of conversations need, loaded before the first of them."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from libs.contracts.conversation import TicketRequested
from services.intake.chains import Chains
from services.intake.chats import Chat, clean
from services.intake.conversations import Conversations, Key
from services.intake.customers import Contact, Customers
from services.intake.domain.conversation import Conversation, Roster
from services.intake.domain.fields import Fields
from services.intake.domain.message import Customer, Message
from services.intake.domain.ticket import Ticket
from services.intake.store import Store


@dataclass(slots=True)
class Loaded:
    """What is known before the decisions. `fresh`: conversations first heard of in this batch.

    known: with the linked ticket, or the id proposed for the one to open. customers: who the conversations are with.
    requesters: whose the tickets are whose visitors are identified now, by customer id. references: one for
    each ticket that may have to be opened; ids: those beyond the ids that were proposed.
    """

    known: dict[Key, Conversation]
    fresh: set[Key]
    tickets: dict[str, Ticket] = field(default_factory=dict)
    stored: set[tuple[str, str, int]] = field(default_factory=set)
    intents: dict[tuple[str, str, str], str] = field(default_factory=dict)
    transcripts: dict[Key, list[Message]] = field(default_factory=dict)
    customers: dict[Key, Customer] = field(default_factory=dict)
    requesters: dict[str, Customer] = field(default_factory=dict)
    roster: Roster = field(default_factory=Roster)
    fields: Fields = field(default_factory=Fields)
    references: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)


async def load(chats: dict[Key, Chat], conversations: Conversations, store: Store) -> Loaded:
    """Claim the conversations, then read what is stored about them."""
    proposals = {key: store.identities.new() for key, chat in chats.items() if chat.requests}
    claims = await conversations.claim([chat.known for chat in chats.values()], proposals, store.transaction.now)
    loaded = Loaded(
        fields=store.configuration.fields,
        known={key: conversation for key, (conversation, _) in claims.items()},
        fresh={key for key, (_, is_new) in claims.items() if is_new},
    )
    beginning = {key for key, id in proposals.items() if loaded.known[key].ticket_id == id}
    if len(loaded.fresh) < len(chats):
        await _load_stored(chats, loaded, beginning, conversations, store)
    opening = beginning | _asked_anew(chats, loaded, beginning)
    await _load_new(chats, loaded, opening, len(beginning), store)
    loaded.roster = await _roster(chats, opening, conversations)
    return loaded


async def _load_stored(
    chats: dict[Key, Chat], loaded: Loaded, beginning: set[Key], conversations: Conversations, store: Store
) -> None:
    """What earlier batches left of the conversations that are not new."""
    older = [key for key in chats if key not in loaded.fresh]
    loaded.stored = await conversations.stored(
        (*key, message.seq) for key in older for message in chats[key].messages if message.seq is not None
    )
    linked = {loaded.known[key].ticket_id for key in older if key not in beginning}
    loaded.tickets = await store.tickets({id for id in linked if id is not None})
    if any(ticket.merged_into for ticket in loaded.tickets.values()):
        await _follow_merges(loaded, store)
    asked = [key for key in older if chats[key].requests]
    loaded.intents = await conversations.intents([key for key in asked if key not in beginning])
    loaded.transcripts = await conversations.transcripts(asked)


async def _follow_merges(loaded: Loaded, store: Store) -> None:
    """What is said in the conversation of a merged ticket goes to where that went (behaviour C-3). The link stays as it
    is, so that it leads to the ticket itself again once the merge is undone.
    """
    merged = {id for id, ticket in loaded.tickets.items() if ticket.merged_into is not None}
    living = await Chains(store.transaction.connection).living(merged)
    loaded.tickets |= await store.tickets(set(living.values()) - loaded.tickets.keys())
    for key, conversation in loaded.known.items():
        if conversation.ticket_id in living:
            loaded.known[key] = replace(conversation, ticket_id=living[conversation.ticket_id])


def _asked_anew(chats: dict[Key, Chat], loaded: Loaded, beginning: set[Key]) -> set[Key]:
    """Conversations with a ticket and another intent."""
    return {
        key
        for key, chat in chats.items()
        if key not in beginning and any((*key, request.intent_id) not in loaded.intents for request in chat.requests)
    }


async def _load_new(chats: dict[Key, Chat], loaded: Loaded, opening: set[Key], proposed: int, store: Store) -> None:
    """People, ids and references for tickets that begin; `proposed` of them have an id already."""
    closed = {
        key
        for key, conversation in loaded.known.items()
        if conversation.ticket_id in loaded.tickets and loaded.tickets[conversation.ticket_id].is_closed
    }
    identified = {key for key, chat in chats.items() if chat.known.email}
    contacts = {key: _contact(loaded.known[key], chats[key]) for key in sorted(opening | closed | identified)}
    told = {key: contact for key, contact in contacts.items() if contact != Contact()}
    if told:
        customers = Customers(store.transaction.connection, store.identities, store.configuration.organisations)
        loaded.customers = dict(zip(told, await customers.of(told.values()), strict=True))
        owned = [loaded.tickets.get(loaded.known[key].ticket_id or "") for key in identified - opening]
        loaded.requesters = await customers.with_ids(each.customer_id for each in owned if each and each.customer_id)
    count = sum(len(chats[key].requests) for key in opening) + len(closed)
    if count:
        loaded.references = await store.references(count)
        loaded.ids = [store.identities.new() for _ in range(count - proposed)]


def _contact(conversation: Conversation, chat: Chat) -> Contact:
    """Who the visitor is; a request names them where nobody had identified them before."""
    asked = [request for request in chat.requests if isinstance(request, TicketRequested)]
    name = conversation.name or next((clean(request.name) for request in asked if request.name), None)
    email = conversation.email or next((clean(request.email) for request in asked if request.email), None)
    return Contact(
        name=name,
        email=email.strip().lower() if email else None,
        phone=conversation.phone,
        tier=conversation.tier,
        organisation=conversation.organisation,
    )


async def _roster(chats: dict[Key, Chat], opening: Collection[Key], conversations: Conversations) -> Roster:
    asked = [request for key in opening for request in chats[key].requests if isinstance(request, TicketRequested)]
    return await conversations.roster(
        {request.assignee for request in asked if request.assignee},
        {request.queue for request in asked if request.queue},
    )
