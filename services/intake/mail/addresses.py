"""Addresses of mail headers (RFC 5322, 3.4), read leniently and in linear time."""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from services.intake.mail.encoded_words import decode_words, without_escapes

MAX_ADDRESSES = 1000
MAX_TOKENS = 8000
MAX_REMEMBERED = 200
# unclosed quotes, comments and angle brackets run to the end of the value, so that the scan is linear
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|\([^()]*\)?|<[^<>]*>?|[,;:]|[^",;:()<>]+|.', re.DOTALL)
BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox: the address in lower case (empty when unreadable) and the decoded display name (may be empty)."""

    email: str
    name: str = ""

    @property
    def local(self) -> str:
        """What stands before the last "@"."""
        return self.email.rpartition("@")[0]

    @property
    def domain(self) -> str:
        """What stands after the last "@"."""
        return self.email.rpartition("@")[2] if "@" in self.email else ""


def parse_addresses(value: str) -> tuple[Address, ...]:
    """Every mailbox of an address header as written (encoded words not yet decoded); groups are flattened."""
    return _remembered(value) if len(value) <= MAX_REMEMBERED else _parsed(value)


@lru_cache(maxsize=4096)
def _remembered(value: str) -> tuple[Address, ...]:
    # our own mailboxes stand in every mail, and who writes mostly writes again
    return _parsed(value)


def _parsed(value: str) -> tuple[Address, ...]:
    found: list[Address] = []
    words: list[str] = []
    comment = angle = ""
    for match in islice(TOKEN.finditer(value), MAX_TOKENS):
        sign = match[0]
        if sign in (",", ";"):
            _finish(found, words, angle, comment)
            words, comment, angle = [], "", ""
        elif sign == ":" and not angle:
            words = []
        elif sign.startswith("<"):
            angle = angle or sign.strip("<> \t")
        elif sign.startswith("("):
            comment = comment or sign.strip("() \t")
        else:
            words.append(sign)
        if len(found) >= MAX_ADDRESSES:
            return tuple(found)
    _finish(found, words, angle, comment)
    return tuple(found)


def _finish(found: list[Address], words: list[str], angle: str, comment: str) -> None:
    phrase = "".join(words).strip()
    if angle:
        found.append(Address(_clean(angle), _name(phrase) or _name(comment)))
    elif "@" in phrase:
        # without angle brackets the address is the word with the "@"
        email = next((word for word in phrase.split() if "@" in word), phrase)
        found.append(Address(_clean(email), _name(comment)))
    elif phrase:
        found.append(Address("", _name(phrase)))


def _clean(email: str) -> str:
    email = BLANKS.sub("", without_escapes(email)).strip("<>\"'").lower()
    email = email.removeprefix("mailto:")
    # an obsolete source route: @relay1,@relay2:user@host
    return email.rpartition(":")[2] if email.startswith("@") else email


def _name(phrase: str) -> str:
    unquoted = re.sub(r'\\(.)|"', r"\1", phrase) if '"' in phrase or "\\" in phrase else phrase
    return BLANKS.sub(" ", decode_words(unquoted)).strip().strip("'").strip()
