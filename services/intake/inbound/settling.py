"""A batch of mails, from raw bytes to dispositions, in one transaction (decisions 17 and 18)."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from libs.chassis.transaction import Transaction
from services.intake.blobs import Blobs
from services.intake.customers import Contact, Customers
from services.intake.inbound.background import Background
from services.intake.inbound.batch import Batch, Place
from services.intake.inbound.claims import claim
from services.intake.inbound.copies import Copies
from services.intake.inbound.finding import Directory, numbers
from services.intake.inbound.letter import Letter, Received, Way, read
from services.intake.inbound.mailroom import Mailroom
from services.intake.inbound.outcome import Disposition, Outcome
from services.intake.inbound.participation import Participants
from services.intake.inbound.receipts import Receipts
from services.intake.inbound.reports import reports
from services.intake.inbound.threads import Threads
from services.intake.inbound.watching import watch
from services.intake.mail.components import components
from services.intake.mail_file import MailPolicy
from services.intake.projections import Projections
from services.intake.store import Store

REPEATED = Outcome(Disposition.DUPLICATE, "the same mail was here before")

READ_COST, TURN = 2_000, 100_000
"""Reading a mail costs as much as so many bytes of it; after so many bytes others get their turn."""

Keys = Sequence[bytes]


async def settle(received: Sequence[Received], transaction: Transaction, keys: Keys) -> dict[int, Outcome]:
    """Give each of these mails its disposition, with everything that follows from it; the outcome of each receipt."""
    store = Store(transaction)
    policy: MailPolicy = store.configuration.mail
    letters = await _read_all(received, policy, keys)
    claimed = await claim(transaction.connection, letters)
    outcomes = {letter.receipt.id: REPEATED for letter in claimed.repeated}
    if claimed.new:
        outcomes |= await Settling(store, policy, claimed.new, keys).run()
    watch(claimed, transaction)
    await Receipts(transaction.connection).settle(outcomes, letters, transaction.now)
    return outcomes


async def _read_all(received: Sequence[Received], policy: MailPolicy, keys: Keys) -> list[Letter]:
    """Reading takes most of the time: whoever else waits for the event loop gets his turn in between."""
    letters: list[Letter] = []
    unbroken = 0
    for each in received:
        letters.append(read(each, policy, keys))
        unbroken += READ_COST + len(each.raw)
        if unbroken > TURN:
            unbroken = 0
            await asyncio.sleep(0)
    return letters


class Settling:
    """The new mails of one batch: what they need is loaded, they are decided one by one, all is stored once."""

    def __init__(self, store: Store, policy: MailPolicy, letters: Sequence[Letter], keys: Keys) -> None:
        self._store, self._policy, self._letters, self._keys = store, policy, letters, keys
        connection = store.transaction.connection
        self._connection = connection
        self._threads = Threads(connection)
        self._written = [letter for letter in letters if letter.way is Way.WRITTEN]
        self._directory = Directory()
        self._proposed: dict[str, str] = {}
        self._mine: set[str] = set()
        self._batch = Batch(store, policy, self._directory, Participants(connection), tuple(keys))
        self._room = Mailroom(self._batch)

    async def run(self) -> dict[int, Outcome]:
        """The outcome of each receipt."""
        await self._thread()
        await self._load_tickets()
        await self._load_people()
        self._find_places()
        await Background(self._batch, self._written).load()
        await self._number()
        outcomes = {letter.receipt.id: self._decide(letter) for letter in self._letters}
        await self._store_all()
        return outcomes

    def _decide(self, letter: Letter) -> Outcome:
        """Decide on a mail; where it went its ids lead from now on."""
        outcome, directory = self._room.decide(letter), self._directory
        if letter.way is Way.WRITTEN and outcome.ticket_id is not None:
            directory.seen.add(letter.key)
            for id in letter.ids:
                if id in self._mine and directory.ids[id] == self._proposed[id]:
                    directory.ids[id] = outcome.ticket_id
        return outcome

    # ---- loading ------------------------------------------------------------------------------------------

    async def _thread(self) -> None:
        """Claim the ids of mails that hang together for one ticket to come, and learn which tickets have them."""
        found = components([letter.ids for letter in self._written])
        ids = {component: self._store.identities.new() for component in sorted(set(found))}
        for letter, component in zip(self._written, found, strict=True):
            self._batch.components[letter.receipt.id] = component
            self._proposed |= dict.fromkeys(letter.ids, ids[component])
        self._batch.vacant = ids
        answers = {id for letter in self._letters if letter.way is Way.ANSWER for id in letter.known_ids}
        holders = await self._threads.claim(self._proposed, answers)
        new = {letter.key for letter in self._letters}
        self._directory.ids = {id: holder.ticket_id for id, holder in holders.items()}
        self._directory.seen = {id for id, holder in holders.items() if holder.is_seen} - new
        self._mine = {id for id, ticket in self._proposed.items() if holders[id].ticket_id == ticket}
        mentioned = {number for letter in self._letters for number in numbers(letter)}
        self._directory.references = await self._threads.referred(mentioned)

    async def _load_tickets(self) -> None:
        """Lock every ticket that the mails name, where it went since, and those whose answers came back."""
        batch, directory = self._batch, self._directory
        batch.reports = await reports(self._connection, self._letters, self._keys)
        bounced = {report.ticket_id for each in batch.reports.values() for report in each}
        ours = set(batch.vacant.values())
        named = {named.ticket_id for letter in self._letters for named in directory.named_by(letter)} - ours
        while True:
            directory.roots = await self._threads.roots(named)
            missing = ({*directory.roots.values()} | bounced) - directory.tickets.keys()
            loaded = await self._store.tickets(missing)
            directory.tickets |= loaded
            # what was merged or followed up before we had the lock leads on
            if not any(ticket.is_closed or ticket.merged_into for ticket in loaded.values()):
                return

    async def _load_people(self) -> None:
        batch, directory = self._batch, self._directory
        pairs = {
            (directory.root(named.ticket_id), letter.author.email)
            for letter in self._letters
            for named in directory.named_by(letter)
        }
        component_pairs = self._of_neighbours()
        await batch.participants.load(pair for pair in pairs | component_pairs if pair[0] in directory.tickets)
        batch.agents = batch.participants.agents
        contacts = [Contact(letter.author.name or None, letter.author.email or None) for letter in self._written]
        organisations = self._store.configuration.organisations
        customers = await Customers(self._connection, self._store.identities, organisations).of(contacts)
        batch.customers = {
            letter.receipt.id: customer for letter, customer in zip(self._written, customers, strict=True)
        }
        since = self._store.transaction.now - self._policy.sender_period
        authors = {letter.author.email for letter in self._written}
        batch.opened = Counter(await Receipts(self._connection).opened_by(authors, since))

    def _of_neighbours(self) -> set[tuple[str, str]]:
        """Authors with the tickets that other mails of their component name."""
        tickets: dict[int, set[str]] = {}
        authors: dict[int, set[str]] = {}
        for letter in self._written:
            component = self._batch.components[letter.receipt.id]
            authors.setdefault(component, set()).add(letter.author.email)
            named = {self._directory.root(named.ticket_id) for named in self._directory.named_by(letter)}
            tickets.setdefault(component, set()).update(named & self._directory.tickets.keys())
        return {
            (ticket, author)
            for component, found in tickets.items()
            for ticket in found
            for author in authors[component]
        }

    def _find_places(self) -> None:
        """A component goes to the first ticket that a mail of it names; else it takes an id that others hold already
        without a ticket, before one of our own.
        """
        batch, directory = self._batch, self._directory
        ours = set(batch.vacant.values())
        for letter in self._written:
            component = batch.components[letter.receipt.id]
            found = batch.place(letter)
            if found is not None:
                batch.places.setdefault(component, Place(found.ticket_id))
            held = {directory.root(directory.ids[id]) for id in letter.ids} - ours - directory.tickets.keys()
            if held:
                batch.vacant[component] = min(held)

    async def _number(self) -> None:
        """References for as many tickets as may have to be opened."""
        batch = self._batch
        opening: set[tuple[int, int]] = set()
        for letter in self._written:
            component = batch.components[letter.receipt.id]
            place = batch.place(letter) or batch.places.get(component)
            ticket = None if place is None else self._directory.tickets.get(place.ticket_id)
            if ticket is None:
                opening.add((component, 0))
            elif batch.may_begin(letter, ticket):
                opening.add((component, letter.receipt.id))
        batch.references = iter(await self._store.references(len(opening)) if opening else [])

    # ---- storing ------------------------------------------------------------------------------------------

    async def _store_all(self) -> None:
        batch, ids = self._batch, self._directory.ids
        await self._store.save(batch.decisions)
        Projections(self._store.transaction).deliveries(batch.deliveries)
        await self._threads.move((id, old, ids[id]) for id, old in self._proposed.items() if id in self._mine)
        await batch.participants.save()
        await batch.participants.unite(batch.united)
        for source, target in batch.united:
            await Copies(self._connection).bring(target, [source])
        await Blobs(self._connection).put(batch.files)
