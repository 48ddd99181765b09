"""Through what a fact came to be: it stands before the id in the fact's cause, e.g. `api:<request id>`."""

from enum import StrEnum


class Via(StrEnum):
    """The way in. RULE: a decision of the router, whose cause is the bare id that the router compares."""

    API = "api"
    MAIL = "mail"
    CHAT = "chat"
    TIMER = "timer"
    TEMPLATE = "template"
    MACRO = "macro"
    BULK = "bulk"
    RULE = "rule"
    CLOCK = "clock"
    NOTICE = "notice"
    LINK = "link"
    SYSTEM = "system"


OF_SPEAKER = {"router": Via.RULE, "sla": Via.CLOCK, "notifier": Via.NOTICE}
NAMED = frozenset({Via.API, Via.MAIL, Via.CHAT, Via.TIMER, Via.BULK, Via.TEMPLATE, Via.MACRO, Via.LINK})


def through(via: Via, id: str | int) -> str:
    """The cause of facts that came this way: of a request, the receipt of a mail, an event of a chat, a job, of the
    request by which a link was followed.
    """
    return f"{via}:{id}"


def way_of(speaker: str, cause: str | None) -> tuple[Via, str | None]:
    """The way a fact came, and the id of what came: a request, a receipt, an event, a job, a decision."""
    if speaker in OF_SPEAKER:
        return OF_SPEAKER[speaker], cause
    if cause is None:
        return Via.SYSTEM, None
    way, separator, id = cause.partition(":")
    if separator and way in NAMED:
        return Via(way), id
    return Via.RULE, cause
