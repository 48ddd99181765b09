"""Mail written by machines, and when to keep silent (behaviour A-1, A-5, A-6, A-7; RFC 3834)."""

import re
from collections.abc import Callable, Set
from enum import StrEnum
from functools import lru_cache

from services.intake.mail import phrases
from services.intake.mail.addresses import Address
from services.intake.mail.authentication import verified_sender
from services.intake.mail.message import Mail
from services.intake.mail.parameters import parse_parameters

RETURNED_TYPES = frozenset({"message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global"})
STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
FEEDBACK_TYPES = frozenset({"message/feedback-report"})
RECEIPT_TYPES = frozenset({"message/disposition-notification"})
DELIVERED = re.compile(rb"^action:[ \t]*(delivered|relayed|expanded)", re.IGNORECASE | re.MULTILINE)
UNDELIVERED = re.compile(rb"^action:[ \t]*(failed|delayed)", re.IGNORECASE | re.MULTILINE)
CALENDAR_ANSWER = re.compile(rb"^METHOD:(?:REPLY|COUNTER|DECLINECOUNTER)", re.IGNORECASE | re.MULTILINE)
VACATION_HEADERS = frozenset(
    {"x-autoreply", "x-autorespond", "x-autoresponder", "x-autoreply-from", "x-mail-autoreply", "x-vacation"}
)
LIST_HEADERS = frozenset({"list-id", "list-post", "list-unsubscribe", "list-subscribe", "list-help", "list-archive"})
LIST_MARKS = LIST_HEADERS | {"mailing-list", "x-mailing-list", "x-ml-name", "x-mlserver", "list-owner", "x-listserver"}
LOOP_HEADERS = frozenset({"x-loop", "x-signalbox-loop"})
MARKETING_HEADERS = frozenset({"feedback-id", "x-campaign", "x-campaignid", "x-csa-complaints", "x-mailchimp-id"})
NOTHING: frozenset[str] = frozenset()
SILENT_PRECEDENCE = frozenset({"bulk", "junk", "list", "auto_reply"})
UNANSWERABLE = phrases.DAEMONS | {phrases.POSTMASTER}
SUPPRESSED = frozenset({"all", "oof", "autoreply"})
START = 2000


class Subtype(StrEnum):
    """What kind of machine wrote."""

    BOUNCE = "bounce"
    FEEDBACK = "feedback"
    RECEIPT = "receipt"
    CALENDAR = "calendar"
    CHALLENGE = "challenge"
    AUTOREPLY = "autoreply"
    GENERATED = "generated"
    LIST = "list"
    BULK = "bulk"


def auto_submitted(mail: Mail) -> str:
    """The keyword of Auto-Submitted without comments and parameters; empty when missing (RFC 3834, 5)."""
    return parse_parameters(mail.headers.raw("auto-submitted"))[0]


def says_automatic(mail: Mail) -> bool:
    """Whether Auto-Submitted has any keyword but "no"; "notified" is not "no" (A-1)."""
    return auto_submitted(mail) not in ("", "no")


def has_null_return_path(mail: Mail) -> bool:
    """Whether the envelope sender was `<>`: the mail must not be answered, and mostly reports on another."""
    return mail.return_path == ""


def is_delivery_report(mail: Mail) -> bool:
    """A delivery status notification of RFC 3464, of success or failure (A-6)."""
    return _has_part(mail, STATUS_TYPES) or _report_type(mail) == "delivery-status"


def _has_part(mail: Mail, types: Set[str]) -> bool:
    # most mails have no attachment
    return bool(mail.attachments) and any(attachment.content_type in types for attachment in mail.attachments)


def _report_type(mail: Mail) -> str:
    return mail.content_parameter("report-type").lower() if mail.content_type == "multipart/report" else ""


def is_bounce(mail: Mail) -> bool:
    """A report that a mail was not, or not yet, delivered (A-6)."""
    if is_feedback_report(mail) or is_receipt(mail):
        return False
    if is_delivery_report(mail):
        return not _reports_success(mail)
    return _from_daemon(mail) or _reports_failure_in_words(mail) or _refused_by_list(mail)


def _reports_success(mail: Mail) -> bool:
    reports = [attachment.content for attachment in mail.attachments if attachment.content_type in STATUS_TYPES]
    return any(DELIVERED.search(report) for report in reports) and not any(UNDELIVERED.search(r) for r in reports)


def _from_daemon(mail: Mail) -> bool:
    if "x-failed-recipients" in mail.headers:
        return True
    author = mail.from_
    names = {_letters(author.local or author.email), _letters(author.name)} if author.email else {_letters(author.name)}
    if names & phrases.DAEMONS:
        return not phrases.AUTOREPLY_SUBJECT.match(mail.subject)
    if phrases.POSTMASTER not in names:
        return False
    # people do write from postmaster@: the report must show itself
    return has_null_return_path(mail) or phrases.UNDELIVERED_SUBJECT.search(mail.subject) is not None


def _reports_failure_in_words(mail: Mail) -> bool:
    """Programs that send no report and hide behind a common address."""
    nobody = has_null_return_path(mail) or phrases.NO_REPLY.match(mail.from_.local) is not None
    if not nobody or phrases.AUTOREPLY_SUBJECT.match(mail.subject):
        return False
    if phrases.UNDELIVERED_SUBJECT.search(mail.subject):
        return True
    return _has_part(mail, RETURNED_TYPES) and phrases.UNDELIVERED_TEXT.search(mail.text[:START]) is not None


def _refused_by_list(mail: Mail) -> bool:
    by_list = phrases.LIST_ROLE.search(mail.from_.local) and LIST_MARKS & mail.headers.names()
    return bool(by_list) and phrases.LIST_REFUSAL.search(f"{mail.subject}\n{mail.text[:300]}") is not None


@lru_cache(maxsize=4096)
def _letters(value: str) -> str:
    return "".join(sign for sign in value.lower() if sign.isalpha())


def is_feedback_report(mail: Mail) -> bool:
    """A complaint forwarded by a mailbox provider (RFC 5965, and the older forms without a report part)."""
    if _has_part(mail, FEEDBACK_TYPES) or _report_type(mail) == "feedback-report":
        return True
    if mail.from_.domain.endswith("amazonaws.com") and phrases.COMPLAINT_NOTICE.search(mail.text[:START]):
        return True
    return _has_part(mail, RETURNED_TYPES) and phrases.FEEDBACK_SUBJECT.search(mail.subject) is not None


def is_receipt(mail: Mail) -> bool:
    """A read receipt (RFC 8098; A-7)."""
    return _report_type(mail) == "disposition-notification" or _has_part(mail, RECEIPT_TYPES)


def is_calendar_answer(mail: Mail) -> bool:
    """The answer of a calendar to an invitation; an invitation itself is written by a person (A-7)."""
    if not mail.attachments:
        return False
    files = (attachment for attachment in mail.attachments if attachment.content_type == "text/calendar")
    return any(CALENDAR_ANSWER.search(file.content[:START]) for file in files)


def is_challenge(mail: Mail) -> bool:
    """A spam filter that asks the sender to prove to be a person (A-7). Its users' own mail bears its name too."""
    return phrases.CHALLENGE_SUBJECT.search(mail.subject) is not None


def is_autoreply(mail: Mail) -> bool:
    """An automatic answer to a mail: out of office, vacation, confirmation (A-5)."""
    return _answers_by_itself(mail) and not is_bounce(mail) and not is_feedback_report(mail)


def _answers_by_itself(mail: Mail) -> bool:
    keyword = auto_submitted(mail)
    if keyword == "no":
        return False
    if keyword.startswith("auto-replied") or (says_automatic(mail) and bool(mail.in_reply_to or mail.references)):
        return True
    return _has_vacation_mark(mail) or phrases.AUTOREPLY_SUBJECT.match(mail.subject) is not None


def _has_vacation_mark(mail: Mail) -> bool:
    marks = VACATION_HEADERS & mail.headers.names()
    if marks and any(mail.headers.get(name).strip().lower() not in ("no", "false") for name in marks):
        return True
    if _precedence(mail) == "auto_reply":
        return True
    return mail.headers.get("x-apple-action").strip().upper() == "VACATION"


def is_list(mail: Mail) -> bool:
    """Mail through a mailing list."""
    return bool(LIST_MARKS & mail.headers.names()) or _precedence(mail) == "list"


def is_bulk(mail: Mail) -> bool:
    """Mail to many at once: newsletters, campaigns."""
    return _precedence(mail) in ("bulk", "junk") or bool(MARKETING_HEADERS & mail.headers.names())


def _precedence(mail: Mail) -> str:
    return mail.headers.get("precedence").strip().lower()


def is_automatic(mail: Mail) -> bool:
    """Whether no person wrote this mail to us (A-1). Lists and campaigns are written by people, and do not count."""
    return says_automatic(mail) or any(applies(mail) for _, applies in MACHINES)


# in order: what stands above wins, so that an automatic answer is one only if it is nothing more special
MACHINES: tuple[tuple[Subtype, Callable[[Mail], bool]], ...] = (
    (Subtype.BOUNCE, is_bounce),
    (Subtype.FEEDBACK, is_feedback_report),
    (Subtype.RECEIPT, is_receipt),
    (Subtype.CALENDAR, is_calendar_answer),
    (Subtype.CHALLENGE, is_challenge),
    (Subtype.AUTOREPLY, _answers_by_itself),
)
SUBTYPES = (*MACHINES, (Subtype.GENERATED, says_automatic), (Subtype.LIST, is_list), (Subtype.BULK, is_bulk))


def subtype(mail: Mail) -> Subtype | None:
    """The first that applies, from the most special on; None for a person's mail (A-5, A-6, A-7)."""
    return next((kind for kind, applies in SUBTYPES if applies(mail)), None)


def suppress_autoreply(
    mail: Mail,
    own_domains: Set[str] = frozenset(),
    own_addresses: Set[str] = frozenset(),
    trusted_servers: Set[str] = frozenset(),
) -> bool:
    """Whether this mail must get no automatic answer (A-1; RFC 3834, 2).

    `own_domains` and `own_addresses` are in lower case. `trusted_servers` are the authserv-ids whose
    Authentication-Results count: a DMARC failure of another server may be forged.
    """
    return subtype(mail) is not None or refuses_answers(mail, own_domains, own_addresses, trusted_servers)


def refuses_answers(mail: Mail, own_domains: Set[str], own_addresses: Set[str], trusted_servers: Set[str]) -> bool:
    """What of A-1 goes beyond the kind of mail: its sender cannot or must not be answered by itself."""
    return (
        has_null_return_path(mail)
        or asks_for_silence(mail)
        or any(_is_unanswerable(address, own_domains, own_addresses) for address in (mail.from_, *mail.reply_to[:1]))
        or verified_sender(mail, trusted_servers) is False
    )


def asks_for_silence(mail: Mail) -> bool:
    """X-Auto-Response-Suppress, a silent Precedence or the mark of an answering loop."""
    wish = mail.headers.get("x-auto-response-suppress")
    wishes = {each.strip().lower() for each in wish.split(",")} if wish else NOTHING
    return bool(wishes & SUPPRESSED or LOOP_HEADERS & mail.headers.names()) or _precedence(mail) in SILENT_PRECEDENCE


def _is_unanswerable(address: Address, own_domains: Set[str], own_addresses: Set[str]) -> bool:
    if "@" not in address.email or address.email in own_addresses or address.domain in own_domains:
        return True
    local = address.local
    return phrases.NO_REPLY.match(local) is not None or _letters(local) in UNANSWERABLE
