"""Which ticket a mail belongs to, by proof or by mention, in the order of trust (behaviour H-1). Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from services.intake.domain.reference import is_reference
from services.intake.domain.ticket import Ticket
from services.intake.inbound.letter import Letter

SEEN, MENTIONED = "names a mail of its ticket", "names a mail that its ticket names"


class Named(NamedTuple):
    """A ticket that a mail names. how: in words. proved: by our HMAC. quoted: by a number or a mark that anybody may
    have been shown, which proves nothing.
    """

    ticket_id: str
    how: str
    proved: bool = False
    quoted: bool = False


@dataclass(slots=True)
class Directory:
    """What is known of ids, references and tickets. roots: where what is written to a ticket goes now.

    seen: ids under which a mail came in; the others are only mentioned by mails.
    """

    ids: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    references: Mapping[str, str] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)
    tickets: dict[str, Ticket] = field(default_factory=dict)

    def named_by(self, letter: Letter) -> Iterator[Named]:
        """Every ticket that the mail names, the surest first; some may not exist."""
        offers = letter.offers
        for token in offers.plus_tokens:
            yield Named(self.references.get(token, token), "was sent to the address of its ticket", proved=True)
        for own in offers.own_ids:
            yield Named(own.ticket, "answers a mail of ours", proved=True)
        # what a mail was seen under leads further than what was only mentioned
        named = [id for id in (*letter.known_ids, letter.key) if id in self.ids]
        for id in named if len(named) < 2 else sorted(named, key=lambda id: id not in self.seen):
            yield Named(self.ids[id], SEEN if id in self.seen else MENTIONED)
        for reference in offers.subject_references:
            if reference in self.references:
                yield Named(self.references[reference], "has the number of its ticket in the subject", quoted=True)
        for mark in offers.marks:
            yield Named(self.references.get(mark, mark), "quotes the mark of its ticket", quoted=True)

    def fragments(self, letter: Letter, ticket_id: str) -> list[Ticket]:
        """Tickets that turn out to be a part of this one: all that connected them to the world was a mail that nobody
        had seen, and this mail is it, or tells what it belongs to.

        Only while nobody has answered on them.
        """
        by_root: dict[str, bool] = {}
        for id in letter.ids:
            if id in self.ids and (root := self.root(self.ids[id])) in self.tickets:
                by_root[root] = by_root.get(root, False) or id in self.seen
        found = [self.tickets[root] for root, is_seen in by_root.items() if root != ticket_id and not is_seen]
        return [each for each in found if not (each.is_closed or each.removed or each.human_replies)]

    def root(self, ticket_id: str) -> str:
        """Where what is written to this ticket goes, also as decided in this batch."""
        seen = {ticket_id}
        while (following := self.roots.get(ticket_id, ticket_id)) not in seen:
            seen.add(following)
            ticket_id = following
        return ticket_id


def numbers(letter: Letter) -> set[str]:
    """The references that it names and that can be ones."""
    offers = letter.offers
    return {each for each in (*offers.plus_tokens, *offers.subject_references, *offers.marks) if is_reference(each)}
