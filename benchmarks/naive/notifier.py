"""The notifier, one message at a time: an acknowledgment that promises a time, stored for the chat to read."""

import secrets
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from benchmarks.naive.role import Role, Work
from benchmarks.naive.rows import Rows
from libs.contracts.event import Speaker
from libs.contracts.identifiers import uuid7
from libs.contracts.notice import NoticeKind, NoticeSent
from libs.contracts.sla import TargetsSet
from libs.contracts.ticket import TicketChanged, TicketOpened
from services.notifier.configuration import parse
from services.notifier.domain.promise import rounded, written

ZONE = ZoneInfo("Europe/Berlin")


class TicketRow(Rows):
    """A ticket as notices need it."""

    __tablename__ = "tickets"

    id: Mapped[str] = mapped_column(primary_key=True)
    reference: Mapped[str | None]
    subject: Mapped[str]
    customer: Mapped[str | None]
    email: Mapped[str | None]
    language: Mapped[str | None]
    source: Mapped[str | None]
    conversation_id: Mapped[str | None]
    queue: Mapped[str | None]
    assignee: Mapped[str | None]
    said: Mapped[int] = mapped_column(default=0)


class NoticeRow(Rows):
    """What was said to whom."""

    __tablename__ = "notices"
    __table_args__ = (UniqueConstraint("cause", "kind", "recipient"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    ticket: Mapped[str] = mapped_column(index=True)
    cause: Mapped[str]
    kind: Mapped[str]
    recipient: Mapped[str]
    text: Mapped[str]
    state: Mapped[str]
    at: Mapped[datetime]


role = Role(Speaker.NOTIFIER)
configuration = parse(role.files)


@role.hears(TicketOpened)
async def on_opened(opened: TicketOpened, work: Work) -> None:
    """Remember who is to be told."""
    state, customer, link = work.ticket, opened.customer, opened.conversation
    work.session.add(
        TicketRow(
            id=state.id,
            reference=state.reference,
            subject=opened.subject,
            customer=customer and customer.name,
            email=customer and customer.email,
            language=state.language,
            source=link and link.source,
            conversation_id=link and link.conversation_id,
        )
    )


@role.hears(TicketChanged)
async def on_changed(changed: TicketChanged, work: Work) -> None:
    """Follow the owner."""
    ticket, state = await work.the(TicketRow, work.subject), work.ticket
    ticket.queue, ticket.assignee = state.queue, state.assignee


@role.hears(TargetsSet)
async def on_targets_set(targets: TargetsSet, work: Work) -> None:
    """The first final promise is what an acknowledgment waits for."""
    if not targets.final:
        return
    ticket = await work.the(TicketRow, work.subject)
    recipient = f"chat:{ticket.source}/{ticket.conversation_id}"
    known = select(NoticeRow).filter_by(cause=work.id, kind=NoticeKind.ACKNOWLEDGMENT.value, recipient=recipient)
    if await work.session.scalar(known) is not None:
        return
    notice = _acknowledgment(work, ticket, targets, recipient)
    work.session.add(notice)
    ticket.said += 1
    work.say(NoticeSent(notice_id=notice.id, kind=NoticeKind.ACKNOWLEDGMENT), ticket.said)


def _acknowledgment(work: Work, ticket: TicketRow, targets: TargetsSet, recipient: str) -> NoticeRow:
    deadline = min((one.deadline for one in targets.targets if one.deadline), default=None)
    language = configuration.mail.languages[configuration.mail.default_language]
    promise = written(rounded(deadline, work.now, ZONE), language) if deadline else None
    values = {
        "reference": ticket.reference,
        "subject": ticket.subject,
        "customer": ticket.customer,
        "brand": configuration.mail.brand,
        "promise": promise,
        "holiday": None,
    }
    return NoticeRow(
        id=uuid7(work.now, 0, secrets.randbits(62)),
        ticket=ticket.id,
        cause=work.id,
        kind=NoticeKind.ACKNOWLEDGMENT.value,
        recipient=recipient,
        text=configuration.templates.render("acknowledgment.chat", ticket.language, values).text,
        state="sent",
        at=work.now,
    )
