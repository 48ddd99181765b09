"""The tokens of a condition in text form, each with the place where it begins."""

import json
import re
from dataclasses import dataclass
from enum import Enum

from libs.conditions.fields import Field, Kind

BARE = re.compile(r"[A-Za-z0-9_$@./:+-]+")
KEYWORDS = frozenset({"and", "or", "not"})
_TOKEN = re.compile(
    r"""(?P<sign><=|>=|!=|[=<>(),])|(?P<quoted>"(?:[^"\\]|\\.)*"|'[^']*')|(?P<word>[^\s()"',=<>!]+)""", re.DOTALL
)
_SPACE = re.compile(r"\s*")
_INTEGER = re.compile(r"[+-]?\d{1,20}")
_DECIMAL = re.compile(r"[+-]?\d{1,20}(\.\d{1,40})?([eE][+-]?\d{1,3})?")


class WhereError(ValueError):
    """A text was refused. `position` counts characters from 1, `token` is what stands there, empty at the end.

    `allowed` says what would be right there, or is empty.
    """

    def __init__(self, position: int, token: str, reason: str, allowed: str = "") -> None:
        self.position, self.token, self.reason, self.allowed = position, token, reason, allowed
        found = f"{token!r}" if token else "the end"
        super().__init__(f"at {position}, {found}: {reason}" + (f"; allowed: {allowed}" if allowed else ""))


class Mark(Enum):
    """What a token is."""

    WORD = "word"
    QUOTED = "quoted"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One token. start: characters before it. text: as written, quotes included."""

    mark: Mark
    text: str
    start: int

    def means(self, *words: str) -> bool:
        """Whether it is one of these signs or words; words in any case, and not in quotes."""
        return self.mark is not Mark.QUOTED and self.text.lower() in words

    def refused(self, reason: str, allowed: str = "") -> WhereError:
        """The error that this token does not fit."""
        return WhereError(self.start + 1, self.text, reason, allowed)


def tokens(text: str) -> list[Token]:
    """The tokens of a text, the last one END. WhereError where there is none."""
    found: list[Token] = []
    at = _after_space(text, 0)
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise _unreadable(text, at)
        found.append(Token(Mark(match.lastgroup), match[0], at))
        at = _after_space(text, match.end())
    found.append(Token(Mark.END, "", len(text)))
    return found


def literal(token: Token, field: Field, operator: str) -> str | int | float | bool:
    """What a token stands for as a value of a field. WhereError if it is no value, or cannot be read."""
    if token.mark is Mark.QUOTED:
        return _unquoted(token)
    if token.mark is not Mark.WORD or token.means(*KEYWORDS):
        raise token.refused("is no value", "a word, or text in quotes")
    word = token.text
    if operator in ("word", "contains", "matches"):
        return word
    if field.kind is Kind.NUMBER and _INTEGER.fullmatch(word):
        return int(word)
    if field.kind in (Kind.FLAG, Kind.CUSTOM) and word.lower() in ("true", "false"):
        return word.lower() == "true"
    if field.kind is Kind.CUSTOM and _DECIMAL.fullmatch(word):
        return int(word) if _INTEGER.fullmatch(word) else float(word)
    return word


def is_plain(text: str, field: Field, operator: str) -> bool:
    """Whether a text needs no quotes: written bare it is read as the same text."""
    if not BARE.fullmatch(text) or text.lower() in KEYWORDS:
        return False
    return literal(Token(Mark.WORD, text, 0), field, operator) == text


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()


def _unquoted(token: Token) -> str:
    if token.text[0] == "'":
        return token.text[1:-1]
    try:
        text: str = json.loads(token.text, strict=False)
    except ValueError:
        raise token.refused("has an escape that JSON does not know", r"\" \\ \n \t \uXXXX") from None
    return text


def _unreadable(text: str, at: int) -> WhereError:
    if text[at] in "\"'":
        return WhereError(at + 1, text[at : at + 20], "the quote is never closed")
    return WhereError(at + 1, text[at], "means nothing here", "=, !=, <, <=, >, >=, words, text in quotes, ( )")
