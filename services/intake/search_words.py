"""What people type into a search, and what PostgreSQL is asked for it (docs/search.md).

refund "invalid card" order-48* -lamp ada@example.org #1042-7
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from libs.conditions.sql import Parameters
from services.intake.domain.reference import is_reference

MOST_TERMS = 16
LANGUAGES: Mapping[str, str] = {
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fr": "french",
    "it": "italian",
    "nl": "dutch",
    "pt": "portuguese",
}
"""PostgreSQL's configuration by language; tickets in others are found by their words as they stand."""

NEUTRAL = "simple"
"""Words as they stand, in lower case: names, numbers, every language."""

PUBLIC_WEIGHTS = "ABC"
"""Subject, customer, messages; D are notes, which only agents find (behaviour N-1)."""

_TERM = re.compile(r"""(?P<denied>-?)(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))""")
_LETTER = re.compile(r"\w")
PEOPLE = "SELECT id FROM customers WHERE email LIKE {prefix} ORDER BY email LIMIT 1000"


class Unsearchable(ValueError):
    """Nothing to look for, or too much of it."""


@dataclass(frozen=True, slots=True)
class Term:
    """One word or phrase. prefix: the beginning of a word suffices. denied: it must not be there."""

    text: str
    prefix: bool = False
    denied: bool = False

    def lexeme(self, *, notes: bool) -> str:
        """As to_tsquery takes it."""
        weights = ("*" if self.prefix else "") + ("" if notes else PUBLIC_WEIGHTS)
        quoted = self.text.replace("\\", "\\\\").replace("'", "''")
        return f"'{quoted}':{weights}" if weights else f"'{quoted}'"


@dataclass(frozen=True, slots=True)
class Search:
    """All of it must hold. emails: beginnings of the customer's. notes: whether notes are looked through too.

    With a reference the terms are other words for it: either suffices.
    """

    terms: tuple[Term, ...] = ()
    emails: tuple[str, ...] = ()
    reference: str | None = None
    notes: bool = False

    def people(self, parameters: Parameters) -> list[str]:
        """Conditions on `t`, a ticket: whose it is."""
        found = []
        for email in self.emails:
            people = PEOPLE.format(prefix=parameters.add(_escaped(email) + "%", "text"))
            found.append(f"t.customer_id = ANY(ARRAY({people}))")
        return found


@dataclass(frozen=True, slots=True)
class Words:
    """The terms of a search as a tsquery, empty where nothing can match. frequent: in too many tickets to read all."""

    query: str
    frequent: bool = False


def read_search(text: str, *, notes: bool) -> Search:
    """What a text asks for. Unsearchable if nothing in it is to be found, or there are more than 16 terms."""
    number = text.strip().removeprefix("#")
    if is_reference(number):
        # a tenth of all numbers could be a reference: without the sign it may be an order's as well
        return Search((Term(number),) if number == text.strip() else (), reference=number, notes=notes)
    emails: list[str] = []
    terms: list[Term] = []
    for found in _TERM.finditer(text.lower()):
        word, denied = found["word"] or "", bool(found["denied"])
        if "@" in word and not denied:
            emails.append(word.rstrip("*"))
        elif _LETTER.search(found["phrase"] or word):
            prefix = word.endswith("*")
            terms.append(Term(found["phrase"] or word.rstrip("*"), prefix, denied))
    if not emails and all(term.denied for term in terms):
        raise Unsearchable("names nothing to look for")
    if len(terms) + len(emails) > MOST_TERMS:
        raise Unsearchable(f"has more than {MOST_TERMS} words")
    return Search(tuple(terms), tuple(emails), notes=notes)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
