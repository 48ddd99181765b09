"""What goes to a customer besides the acknowledgment: the answer of an agent, and the word that it is resolved."""

from dataclasses import replace
from typing import Any

from pydantic_core import to_json

from libs.contracts.fact import Fact
from libs.contracts.notice import NoticeKind
from libs.contracts.ticket import Outbound, TicketChanged, TicketMessageAdded, TicketReminderDue
from services.notifier.domain.acknowledgment import recipient_of, way_of
from services.notifier.domain.answerable import why_silent
from services.notifier.domain.desk import Desk
from services.notifier.domain.notice import Notice, State, Verdict, Way
from services.notifier.domain.outcome import AUTOMATIC_LASTS
from services.notifier.domain.ticket import ERASED, THREAD, Ticket
from services.notifier.mail_file import is_writable


def reply(fact: Fact[TicketMessageAdded], desk: Desk) -> None:
    """A public message that has to leave as plain mail, with the ids that intake gave it (behaviour E-8)."""
    message, ticket = fact.data, desk.ticket(fact.subject)
    outbound = message.outbound
    assert outbound is not None
    notice = Notice(
        ticket=ticket.id,
        kind=NoticeKind.REPLY,
        way=Way.MAIL,
        cause=fact.id,
        recipient=outbound.to,
        automatic=not message.human,
        fact_at=fact.occurred_at,
        created_at=desk.now,
        subject=" ".join(outbound.subject.split()),
        text=_with_footer(message.text, ticket, outbound.mark, desk) if outbound.reply_to else message.text,
        sender=outbound.sender,
        reply_to=outbound.reply_to,
        message_id=outbound.message_id,
        in_reply_to=outbound.in_reply_to,
        thread=" ".join(outbound.references[-THREAD:]),
        answers=outbound.in_reply_to is not None,
        source_message=message.message_id,
        attachments=to_json(message.attachments).decode() if message.attachments else None,
        trace=fact.trace,
    )
    ticket.thread = (*outbound.references, outbound.message_id)[-THREAD:]
    copies = [] if notice.automatic else _copies(notice, outbound, desk)
    if outbound.to:
        desk.notices.append(notice)
    if not is_writable(outbound.to):
        notice.suppress("the address cannot be written to", Verdict.UNDELIVERABLE)
    elif notice.automatic and (silence := _silence(ticket, notice, desk)):
        notice.suppress(silence)
    desk.notices += copies


def _copies(notice: Notice, outbound: Outbound, desk: Desk) -> list[Notice]:
    """The same to each requester of a merged ticket, each a mail with an id and an end of its own: what becomes of a
    copy says nothing of the answer (behaviour M-3). Who cannot be written to gets none, nor who was erased since: what
    is said of two tickets is heard in any order.
    """
    writable = [
        copy for copy in outbound.copies if is_writable(copy.to) and desk.ticket(copy.ticket).silenced != ERASED
    ]
    notice.shared = True if writable else None
    return [
        replace(
            notice,
            kind=NoticeKind.COPY,
            recipient=copy.to,
            message_id=None,
            source_message=None,
            copy_for=copy.ticket,
        )
        for copy in writable
    ]


def close_the_loop(fact: Fact[TicketChanged], ticket: Ticket, desk: Desk) -> None:
    """Once for each time a ticket becomes resolved, by mail or in the chat (behaviour K-3)."""
    if desk.config.mail.tell_resolved:
        _tell(fact, NoticeKind.RESOLVED, ticket, desk)


def remind(fact: Fact[TicketReminderDue], ticket: Ticket, desk: Desk) -> None:
    """That we wait for the customer's answer (behaviour K-2)."""
    _tell(fact, NoticeKind.REMINDER, ticket, desk)


def later_way(ticket: Ticket, desk: Desk) -> Way | None:
    """How the customer hears of what became of a ticket; also of those by hand, where there is an address."""
    way = way_of(ticket, desk)
    if way is None and ticket.opened_at is not None and ticket.by_hand and ticket.customer_email:
        return Way.MAIL
    return way


def _tell(fact: Fact[Any], kind: NoticeKind, ticket: Ticket, desk: Desk) -> None:
    way = later_way(ticket, desk)
    if way is None or ticket.suppress_reply or ticket.silenced or (way is Way.MAIL and ticket.undeliverable):
        return
    template = f"{kind}.chat" if way is Way.CHAT else str(kind)
    values = _values(ticket, desk)
    if kind is NoticeKind.RESOLVED:
        values["reopen_link"] = desk.reopen_link(ticket.id)
    content = desk.render(template, ticket.language, values)
    notice = Notice(
        ticket=ticket.id,
        kind=kind,
        way=way,
        cause=fact.id,
        recipient=recipient_of(ticket, way),
        automatic=True,
        fact_at=fact.occurred_at,
        created_at=desk.now,
        subject=content.subject,
        text=content.text,
        sender=desk.config.mail.sender(ticket.mailbox) if way is Way.MAIL else "",
        in_reply_to=ticket.thread[-1] if ticket.thread and way is Way.MAIL else None,
        thread=" ".join(ticket.thread) if way is Way.MAIL else "",
        answers=True,
        trace=fact.trace,
    )
    if way is Way.CHAT:
        notice.state = State.SENT
    if silence := _silence(ticket, notice, desk):
        notice.suppress(silence)
    desk.notices.append(notice)


def _silence(ticket: Ticket, notice: Notice, desk: Desk) -> str | None:
    if ticket.suppress_reply:
        return "the customer's mail must not be answered automatically"
    if ticket.silenced is not None:
        return f"the ticket is {ticket.silenced}"
    if desk.now - notice.fact_at > AUTOMATIC_LASTS:
        return "its cause is older than 24 hours"
    return None if notice.way is Way.CHAT else why_silent(notice.recipient, desk.config.mail)


def _with_footer(text: str, ticket: Ticket, mark: str | None, desk: Desk) -> str:
    values = {**_values(ticket, desk), "mark": mark}
    footer = desk.render("reply_footer", ticket.language, values).text.strip("\n")
    return f"{text.rstrip()}\n\n{footer}\n" if footer else text


def _values(ticket: Ticket, desk: Desk) -> dict[str, str | int | bool | None]:
    return {
        "reference": ticket.reference,
        "subject": ticket.subject,
        "customer": ticket.customer_name,
        "brand": desk.config.mail.brand,
        "promise": None,
    }
