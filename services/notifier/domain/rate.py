"""How often one address and one domain are acknowledged (behaviour A-4): a machine that answers must not start a
conversation, and a flood in many names of one domain is answered no further.
"""

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


def domain_of(address: str) -> str:
    """What stands behind the @, in lower case."""
    return address.rpartition("@")[2].lower()


def limited_domain(address: str, free_mail: frozenset[str], allowed: AcknowledgmentRules) -> str | None:
    """The domain whose acknowledgments count together with those to this address; None where there is no limit: people
    with free mail have nothing in common.
    """
    domain = domain_of(address)
    return None if allowed.per_domain_and_hour is None or domain in free_mail else domain


def over_domain_limit(within_the_hour: int, allowed: AcknowledgmentRules) -> str | None:
    """Why no address of a domain that has a limit gets a further acknowledgment now; None if one may."""
    most = allowed.per_domain_and_hour
    if most is None or within_the_hour < most:
        return None
    return f"{most} acknowledgments went to this domain within an hour"
