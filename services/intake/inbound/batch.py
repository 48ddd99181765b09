"""What is known while a batch of mails is decided, and what was decided so far."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from libs.contracts.ticket import AnswerCopy, MessageKind
from libs.contracts.ticket_state import StatusCategory
from services.intake.acceptance import storable
from services.intake.domain.appending import append_message, hold_message
from services.intake.domain.decision import Decision
from services.intake.domain.delivery import Failure
from services.intake.domain.follow_up import FollowUp
from services.intake.domain.message import Customer, Message
from services.intake.domain.removing import DELETED
from services.intake.domain.ticket import Ticket
from services.intake.inbound import contents
from services.intake.inbound.finding import Directory
from services.intake.inbound.letter import Letter, by
from services.intake.inbound.participation import Participants
from services.intake.mail.subject import diverges
from services.intake.mail_file import MailPolicy
from services.intake.store import Store

DONE = frozenset({StatusCategory.RESOLVED, StatusCategory.CLOSED})


@dataclass(frozen=True, slots=True)
class Place:
    """The ticket a mail goes to; sure: it proved that it belongs there; how, in words."""

    ticket_id: str
    sure: bool = False
    how: str = "belongs to a mail that came with it"


@dataclass(frozen=True, slots=True)
class Report:
    """What a bounce says about one answer of ours; delivery: how that answer stood before."""

    ticket_id: str
    failure: Failure
    delivery: str | None


@dataclass(slots=True)
class Batch:
    """One batch. places: of components, found or made; vacant: ids for tickets to come, by component.

    agents: keys by address, of authors who are agents. subjects: under which a ticket was written on besides its own.
    threads, copies: the mails of tickets that agents answer, and who else gets those answers. told: how often authors
    were told of a refusal lately.
    """

    store: Store
    policy: MailPolicy
    directory: Directory
    participants: Participants
    keys: tuple[bytes, ...] = ()
    components: dict[int, int] = field(default_factory=dict)
    places: dict[int, Place] = field(default_factory=dict)
    vacant: dict[int, str] = field(default_factory=dict)
    customers: dict[int, Customer] = field(default_factory=dict)
    agents: dict[str, str] = field(default_factory=dict)
    subjects: dict[str, list[str]] = field(default_factory=dict)
    threads: dict[str, list[Message]] = field(default_factory=dict)
    copies: dict[str, list[AnswerCopy]] = field(default_factory=dict)
    requesters: dict[str, Customer] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)
    opened: Counter[str] = field(default_factory=Counter)
    references: Iterator[str] = field(default_factory=lambda: iter(()))
    reports: dict[int, list[Report]] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    deliveries: dict[str, str] = field(default_factory=dict)
    united: list[tuple[str, str]] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        """The instant of the transaction."""
        return self.store.transaction.now

    # ---- looking ------------------------------------------------------------------------------------------

    def place(self, letter: Letter) -> Place | None:
        """The ticket that the mail itself names, if there is one (H-1)."""
        for named in self.directory.named_by(letter):
            root = self.directory.root(named.ticket_id)
            ticket = self.directory.tickets.get(root)
            if ticket is None or not self.takes_mail(ticket):
                continue
            if named.quoted and not (self.takes_part(letter, ticket) or letter.author.email in self.agents):
                continue
            return Place(root, named.proved, named.how)
        return None

    def takes_mail(self, ticket: Ticket) -> bool:
        """Whether mail can find this ticket; of what was deleted its queue may wish to hear."""
        if ticket.removed == DELETED:
            return self.policy.follow_up_in(ticket.queue) is not FollowUp.NEW_TICKET
        return ticket.removed in (None, "spam")

    def takes_part(self, letter: Letter, ticket: Ticket) -> bool:
        """A participant, or of the same organisation as the requester (H-2)."""
        if self.participants.has(ticket.id, letter.author.email):
            return True
        customer = self.customers.get(letter.receipt.id)
        return (
            customer is not None
            and customer.organisation is not None
            and (customer.organisation == ticket.organisation)
        )

    def is_requester(self, letter: Letter, ticket: Ticket) -> bool:
        """Whether the author is whom the ticket is for."""
        customer = self.customers.get(letter.receipt.id)
        return customer is not None and customer.id == ticket.customer_id

    def is_campaign(self, ticket: Ticket) -> bool:
        """Whether the ticket is one mail to many: then each answer is a matter of its own (H-2)."""
        return self.policy.campaign_tag is not None and self.policy.campaign_tag in ticket.tags

    def begins_another_matter(self, letter: Letter, ticket: Ticket) -> bool:
        """Whether the subject has nothing in common with a ticket that is done (H-3)."""
        return ticket.status_category in DONE and self.speaks_of_something_else(letter, ticket)

    def speaks_of_something_else(self, letter: Letter, ticket: Ticket) -> bool:
        """Whether the subject shares no word with any under which this ticket was written (H-3)."""
        if ticket.origin.reference in letter.offers.subject_references:
            return False
        known = [ticket.subject, *self.subjects.get(ticket.id, ())]
        return all(diverges(letter.mail.subject, subject) for subject in known)

    def may_begin(self, letter: Letter, ticket: Ticket) -> bool:
        """Whether a mail that goes to this ticket may open another one instead."""
        if ticket.is_closed or ticket.merged_into is not None or ticket.removed is not None:
            return True
        return self.is_campaign(ticket) or self.begins_another_matter(letter, ticket)

    def people(self, letter: Letter) -> list[str]:
        """Everybody a mail is from or to, but us."""
        addressed = (address.email for address in (*letter.mail.to, *letter.mail.cc))
        others = [storable(email) for email in addressed if "@" in email and not self.policy.is_own(email)]
        return [letter.author.email, *others]

    # ---- deciding -----------------------------------------------------------------------------------------

    def keep(self, decision: Decision) -> None:
        """Note a decision; the mails after it see the ticket as it leaves it."""
        self.decisions.append(decision)
        self.directory.tickets[decision.ticket.id] = decision.ticket

    def join(self, letter: Letter, ticket: Ticket, kind: MessageKind, *, public: bool) -> Message:
        """The mail as a message of the ticket. Whoever takes no part is kept aside (H-2)."""
        message = self.message(letter, kind, joins=True)
        if self.speaks_of_something_else(letter, ticket) and message.mail is not None:
            subject = storable(letter.mail.subject)[: contents.LONGEST_SUBJECT]
            message = replace(message, mail=message.mail.model_copy(update={"subject": subject}))
            self.subjects.setdefault(ticket.id, []).append(subject)
        if public:
            of = by(letter, "customer" if kind is MessageKind.CUSTOMER else "system")
            self.keep(append_message(ticket, message, self.store.statuses, self.now, of))
        else:
            self.keep(hold_message(ticket, message, self.now, by(letter, "customer")))
        return message

    def message(self, letter: Letter, kind: MessageKind, *, joins: bool, author: str | None = None) -> Message:
        """The mail as a message; its author is its customer unless another is given."""
        id, customer = self.store.identities.new(), self.customers.get(letter.receipt.id)
        author = author or (None if customer is None else customer.id)
        written = contents.message(letter, id, kind, author, self.now, joins=joins)
        if not letter.mail.attachments:
            return written
        complete, files = contents.with_files(written, letter, self.policy)
        self.files |= files
        return complete
