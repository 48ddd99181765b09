"""People merge tickets and undo it: each a command in one transaction (behaviour M-1 to M-3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from libs.chassis.errors import Conflict, Invalid, NotFound
from services.intake.chains import Chains, Part, only_of
from services.intake.customers import Customers
from services.intake.domain.decision import By, Decision
from services.intake.domain.merging import merge, same_requester, separate, unmerge
from services.intake.domain.message import Customer
from services.intake.domain.ticket import Ticket
from services.intake.inbound.copies import Copies
from services.intake.inbound.participation import Participants
from services.intake.store import Store


class OtherRequesters(Exception):
    """The tickets are not all of one person: somebody has to say that he knows (behaviour M-3)."""

    def __init__(self, tickets: Sequence[Ticket], people: Mapping[str, Customer]) -> None:
        self.tickets, self.people = tickets, people
        super().__init__("the tickets are of different requesters; what one wrote, the other may come to read")


@dataclass(frozen=True, slots=True)
class Merged:
    """The target as it is now, which tickets became part of it now, and fields in which they differed from it."""

    target: Ticket
    sources: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()


class Merges:
    """Merging within one transaction. Tickets are locked together, in the order of their ids."""

    def __init__(self, store: Store, by: By) -> None:
        self._store, self._by = store, by
        self._connection = store.transaction.connection
        self._chains = Chains(self._connection)

    async def target(self, ticket: str, sources: Sequence[str]) -> tuple[Ticket, list[Ticket]]:
        """The living ticket behind a target, and the sources that are not part of it yet; all are locked.

        NotFound; Invalid for a ticket merged into itself; Conflict for one that is part of another, or that is gone.
        """
        living = (await self._chains.living([ticket])).get(ticket, ticket)
        loaded = await self._store.tickets({living, *sources})
        for id in (living, *sources):
            if id not in loaded:
                raise NotFound(f"there is no ticket {id}")
        target = loaded[living]
        if target.merged_into is not None:
            raise Conflict("the target was merged meanwhile; ask again", merged_into=target.merged_into)
        if living in sources:
            raise Invalid("body.sources", f"{living} cannot be merged into itself")
        return target, await self._not_yet(target, [loaded[id] for id in dict.fromkeys(sources)])

    async def merge(
        self, target: Ticket, sources: Sequence[Ticket], *, confirmed: bool, copied: bool = False
    ) -> Merged:
        """Merge the sources into the target, all or none. copied: their requesters get a copy of each answer from now
        on. OtherRequesters unless that was confirmed; Refused.
        """
        if not sources:
            return Merged(target)
        _refuse_gone(target, sources)
        others = [source for source in sources if not same_requester(source, target)]
        if others and not confirmed:
            raise OtherRequesters([target, *others], await self._people([target, *others]))
        decisions: list[Decision] = []
        differing: set[str] = set()
        now = self._store.transaction.now
        for source in sources:
            parts = [part.source for part in await self._chains.parts(source.id)]
            merged, absorbing = merge(source, target, self._store.statuses, now, self._by, parts)
            decisions += [merged, absorbing]
            differing.update(absorbing.say[0].event.conflicts)  # type: ignore[attr-defined]
            target = absorbing.ticket
        await self._store.save(decisions)
        ids = [source.id for source in sources]
        await Participants(self._connection).unite([(id, target.id) for id in ids])
        await Copies(self._connection).bring(target.id, ids, ids if copied else ())
        return Merged(target, tuple(source.id for source in sources), tuple(sorted(differing)))

    async def merged(self, ticket: str) -> tuple[Ticket, list[Ticket]]:
        """A merged ticket and those above it, the nearest first; all are locked. NotFound; Conflict if it is not."""
        way = (await self._chains.ways([ticket])).get(ticket, [ticket])
        loaded = await self._store.tickets(way)
        if ticket not in loaded:
            raise NotFound(f"there is no ticket {ticket}")
        if loaded[ticket].merged_into is None:
            raise Conflict("this ticket is not merged")
        above = [loaded[id] for id in way[1:]]
        if [each.merged_into for each in (loaded[ticket], *above)] != [*way[1:], None]:
            raise Conflict("somebody merged or unmerged it meanwhile; ask again")
        return loaded[ticket], above

    async def unmerge(self, ticket: Ticket, above: Sequence[Ticket]) -> Ticket:
        """A merged ticket is by itself again. Conflict if the living one is closed (behaviour M-2).

        Every ticket above it gives back what only it and its parts had brought.
        """
        if above[-1].is_closed:
            raise Conflict("the ticket it was merged into is closed", target=above[-1].id)
        was = await self._chains.status_before(ticket.id)
        if was is None:
            raise Conflict("how it was before the merge is not known any more")
        leaving = await self._chains.parts(ticket.id)
        decisions = [unmerge(ticket, was, self._store.statuses, self._store.transaction.now, self._by)]
        for ancestor in above:  # the nearest first: what it gives back those above it give back as well
            decisions.append(await self._separated(ancestor, ticket, leaving, decisions[1:]))
        await self._store.save(decisions)
        targets = [each.id for each in above]
        await Participants(self._connection).part(ticket.id, targets)
        await Copies(self._connection).end(targets, [ticket.id, *(part.id for part in leaving)])
        return decisions[0].ticket

    async def _separated(
        self, ancestor: Ticket, ticket: Ticket, parts: Sequence[Part], below: Sequence[Decision]
    ) -> Decision:
        leaving = [_part(ticket), *parts]
        known = {each.id: each for each in (*leaving, *(_part(decision.ticket) for decision in below))}
        gone = {part.id for part in leaving}
        found = await self._chains.parts(ancestor.id)
        staying = [known.get(part.id, part) for part in found if part.id not in gone]
        gained = only_of(*await self._chains.gained(ancestor.id, ticket.id), leaving, staying)
        now = self._store.transaction.now
        return separate(ancestor, ticket, gained, now, self._by, [part.source for part in parts])

    async def _not_yet(self, target: Ticket, sources: Sequence[Ticket]) -> list[Ticket]:
        """Those that are not part of the target; merging again what is merged does nothing."""
        merged = {source.id for source in sources if source.merged_into is not None}
        ways = await self._chains.ways(merged)
        for id, way in ways.items():
            if way[-1] != target.id:
                raise Conflict(f"{id} is part of another ticket already", ticket=id, merged_into=way[-1])
        return [source for source in sources if source.id not in merged]

    async def _people(self, tickets: Sequence[Ticket]) -> Mapping[str, Customer]:
        ids = {ticket.customer_id for ticket in tickets if ticket.customer_id is not None}
        return await Customers(self._connection, self._store.identities).with_ids(ids)


def _part(ticket: Ticket) -> Part:
    return Part(ticket.id, ticket.origin.created_at, frozenset(ticket.tags), ticket.custom)


def _refuse_gone(target: Ticket, sources: Sequence[Ticket]) -> None:
    if target.is_closed:
        raise Conflict("the target is closed; nothing is merged into it any more", ticket=target.id)
    for ticket in (target, *sources):
        if ticket.removed is not None:
            raise Conflict(f"{ticket.id} was removed: {ticket.removed}", ticket=ticket.id)
