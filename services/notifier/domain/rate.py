"""How often one address is acknowledged (behaviour A-4): a machine that answers must not start a conversation."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.notifier.mail_file import AcknowledgmentRules

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PREFIX = re.compile(
    r"^(?:(?:re|aw|fwd?|wg|antw|sv|vs|tr|rif|odp)\s*(?:\[\d+\])?\s*:|\[[^\]]{1,60}\])\s*", re.IGNORECASE
)
LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Earlier:
    """An acknowledgment that an address was sent before; its topic is a `subject_key`."""

    topic: str
    at: datetime


def subject_key(subject: str) -> str:
    """A subject without what answering, forwarding and numbering add to it."""
    key = unicodedata.normalize("NFKC", subject).casefold().strip()
    while shorter := PREFIX.match(key):
        key = key[shorter.end() :]
    return " ".join(key.split())[:LONGEST_KEY]


def over_limit(earlier: Iterable[Earlier], topic: str, now: datetime, allowed: AcknowledgmentRules) -> str | None:
    """Why an address gets no further acknowledgment now; None if it may."""
    today = [one for one in earlier if now - one.at < DAY]
    if len(today) >= allowed.per_day:
        return f"{allowed.per_day} acknowledgments went to this address within a day"
    same = [one for one in today if now - one.at < HOUR and one.topic == topic]
    if len(same) >= allowed.per_subject_and_hour:
        return f"{allowed.per_subject_and_hour} went to this address for this subject within an hour"
    return None
