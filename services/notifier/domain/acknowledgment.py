"""The acknowledgment: once for each ticket from a customer, with its number and a time that will be kept.

Behaviour A-1 to A-4, T-2 and T-3; decisions 11 and 20.
"""

from datetime import UTC, timedelta

from libs.contracts.notice import NoticeKind
from libs.contracts.sla import TargetState
from services.notifier.domain.answerable import automatic_recipient, why_silent
from services.notifier.domain.desk import Desk
from services.notifier.domain.notice import Notice, State, Way
from services.notifier.domain.outcome import AUTOMATIC_LASTS
from services.notifier.domain.promise import promised, rounded, written
from services.notifier.domain.rate import Earlier, over_domain_limit, over_limit, subject_key
from services.notifier.domain.ticket import Promise, Ticket
from services.notifier.templates import Rendered


def way_of(ticket: Ticket, desk: Desk) -> Way | None:
    """How this ticket is acknowledged; None when it is not (behaviour A-3, C-5)."""
    wanted = desk.config.mail.acknowledgment.channels.get(ticket.channel)
    if wanted is None or ticket.by_hand or ticket.opened_at is None:
        return None
    if wanted == "mail" and ticket.customer_email:
        return Way.MAIL
    return Way.CHAT if ticket.conversation_id else None


def recipient_of(ticket: Ticket, way: Way) -> str:
    """An address, or the conversation as `source/id`."""
    if way is Way.CHAT:
        return f"{ticket.conversation_source}/{ticket.conversation_id}"
    return automatic_recipient(ticket.customer_email, ticket.return_path) or ""


def acknowledge(ticket: Ticket, desk: Desk, trace: str | None) -> None:
    """Decide the acknowledgment once opening and final targets are both known, in whatever order they came."""
    promise = ticket.promise
    if ticket.acknowledged or ticket.opened_at is None or promise is None:
        return
    ticket.acknowledged = True
    way = way_of(ticket, desk)
    if way is None or promise.state == TargetState.CANCELLED.value:
        return
    notice = _notice(ticket, promise, way, desk, trace)
    silence = _silence(ticket, notice, desk)
    if silence is not None:
        desk.notices.append(notice.suppress(silence))
        return
    if way is Way.CHAT:
        notice.state = State.SENT
    else:
        desk.earlier.setdefault(notice.recipient, []).append(Earlier(notice.topic or "", desk.now))
        if domain := desk.limited_domain(notice.recipient):
            desk.to_domains[domain] += 1
    content = _text(ticket, promise, way, desk)
    notice.subject, notice.text = content.subject, content.text
    desk.notices.append(notice)


def _notice(ticket: Ticket, promise: Promise, way: Way, desk: Desk, trace: str | None) -> Notice:
    by_mail = way is Way.MAIL
    return Notice(
        ticket=ticket.id,
        kind=NoticeKind.ACKNOWLEDGMENT,
        way=way,
        cause=promise.cause,
        recipient=recipient_of(ticket, way),
        automatic=True,
        fact_at=promise.said_at,
        created_at=desk.now,
        sender=desk.config.mail.sender(ticket.mailbox) if by_mail else "",
        in_reply_to=ticket.message_id if by_mail else None,
        thread=" ".join(ticket.thread) if by_mail else "",
        answers=True,
        topic=subject_key(ticket.subject) if by_mail else None,
        trace=trace,
    )


def _silence(ticket: Ticket, notice: Notice, desk: Desk) -> str | None:
    """Why it must not be said; None if it may."""
    if ticket.suppress_reply:
        return "the customer's mail must not be answered automatically"
    if ticket.silenced is not None:
        return f"the ticket is {ticket.silenced}"
    if desk.now - notice.fact_at > AUTOMATIC_LASTS:
        return "its cause is older than 24 hours"
    if notice.way is Way.CHAT:
        return None
    if notice.recipient in desk.dead and ticket.channel != "email":
        # whoever writes by mail from there can read it there again
        return "answers to this address came back: it does not exist"
    return why_silent(notice.recipient, desk.config.mail) or _over_a_limit(notice, desk)


def _over_a_limit(notice: Notice, desk: Desk) -> str | None:
    """Of the address, or of its domain (behaviour A-4)."""
    limits = desk.config.mail.acknowledgment
    earlier = desk.earlier.get(notice.recipient, ())
    if reason := over_limit(earlier, notice.topic or "", desk.now, limits):
        return reason
    domain = desk.limited_domain(notice.recipient)
    return None if domain is None else over_domain_limit(desk.to_domains[domain], limits)


def _text(ticket: Ticket, promise: Promise, way: Way, desk: Desk) -> Rendered:
    hours, mail = desk.hours(ticket), desk.config.mail
    allowance = timedelta(hours=mail.acknowledgment.without_policy_hours)
    by = promised(TargetState(promise.state), promise.deadline, desk.now, hours.worktime if hours else None, allowance)
    template, holiday = _occasion(ticket, way, desk)
    language = desk.config.templates.language(template, ticket.language)
    words = mail.languages.get(language) or mail.languages[mail.default_language]
    zone = hours.zone if hours else UTC
    values = {
        "reference": ticket.reference,
        "subject": ticket.subject,
        "customer": ticket.customer_name,
        "brand": mail.brand,
        "promise": written(rounded(by, desk.now, zone), words) if by else None,
        "holiday": holiday,
    }
    return desk.render(template, language, values)


def _occasion(ticket: Ticket, way: Way, desk: Desk) -> tuple[str, str | None]:
    """Which text: in hours, after hours or on a holiday of the queue, when the ticket was opened (T-1, T-3)."""
    if way is Way.CHAT:
        return "acknowledgment.chat", None
    hours = desk.hours(ticket)
    assert ticket.opened_at is not None
    if hours is None or hours.worktime.is_open(ticket.opened_at):
        return "acknowledgment.in_hours", None
    holiday = hours.worktime.holiday(ticket.opened_at)
    if holiday is None:
        return "acknowledgment.after_hours", None
    return "acknowledgment.holiday", holiday
