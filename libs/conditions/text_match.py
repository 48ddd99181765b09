"""How text is matched: folded substrings, whole words, RE2 patterns (decisions 29, behaviour E-5).

Letters are compared after NFKC and case folding, so width, ligatures and case never matter; accents do. Runs of white
space are one blank. Only the first MAX_TEXT characters of a text are looked at.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Protocol

import re2

MAX_TEXT = 65_536
MAX_PATTERN = 1_000

# Invisible characters that mail programs put inside words, and the dot that case folding leaves behind on a Turkish i.
_INVISIBLE = re.compile("[\u00ad\u2060\ufeff]")
_DOTTED_I = "i\u0307"

# Scripts written without spaces: Thai to Lao, Myanmar, Khmer, Hiragana, Han. Any of their letters ends a word.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u309f"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_ASCII_APART = "".join(chr(at) if chr(at).isalnum() or chr(at) == "_" else " " for at in range(128))
"""For `translate`: complete, because what a table lacks costs an exception a character."""
_JOINERS = "_\u200c\u200d"


class Pattern(Protocol):
    """A compiled RE2 pattern."""

    def search(self, text: str) -> object | None: ...


class PatternError(ValueError):
    """RE2 refused a pattern; the message is its reason."""


def fold(text: str) -> str:
    """Text as it is compared by `word` and `contains`."""
    if text.isascii():
        lowered = text[:MAX_TEXT].casefold()
        # Of ASCII only the blank is both printable and white space.
        return lowered.strip() if lowered.isprintable() and "  " not in lowered else " ".join(lowered.split())
    normal = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text[:MAX_TEXT]))
    folded = unicodedata.normalize("NFKC", normal.casefold()).replace(_DOTTED_I, "i")
    return " ".join(folded.split())


def words(folded: str) -> frozenset[str]:
    """The words of a folded text: runs of letters, digits, marks and `_`, without the scripts that have no spaces."""
    if folded.isascii():
        return frozenset(folded.translate(_ASCII_APART).split())
    between = {ord(character): " " for character in set(folded) if not joins(character)}
    return frozenset(folded.translate(between).split())


def is_single_word(folded: str) -> bool:
    """Whether a folded needle is one word, so that looking it up in `words` finds exactly its whole-word uses."""
    return all(map(joins, folded))


def first_word(folded: str) -> str:
    """The first word of a folded needle: a text that has the needle as whole words has this one too. May be empty."""
    found = "".join(character if joins(character) else " " for character in folded).split()
    return found[0] if found else ""


def has_word(needle: str, folded: str) -> bool:
    """Whether a folded text holds the folded needle as whole words: no word goes on across its start or its end."""
    joins_before, joins_after = joins(needle[0]), joins(needle[-1])
    at = folded.find(needle)
    while at >= 0:
        end = at + len(needle)
        before_open = joins_before and at > 0 and joins(folded[at - 1])
        after_open = joins_after and end < len(folded) and joins(folded[end])
        if not before_open and not after_open:
            return True
        at = folded.find(needle, at + 1)
    return False


@lru_cache(maxsize=8192)
def joins(character: str) -> bool:
    """Whether a word goes on through this character: letters, digits, `_`, combining marks, zero-width joiners."""
    if character.isalnum() or character in _JOINERS:
        return not _UNSPACED.match(character)
    # Without marks, Hindi or Tamil words would fall into pieces.
    return unicodedata.category(character)[0] == "M" and not _UNSPACED.match(character)


@lru_cache(maxsize=4096)
def pattern(source: str) -> Pattern:
    """A RE2 pattern, found anywhere, case-insensitive unless it says (?-i). Linear in the text whatever it is.

    Raises PatternError with RE2's reason; look-around and back-references do not exist in RE2.
    """
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        compiled: Pattern = re2.compile(source, options)
    except re2.error as refused:
        raise PatternError(_reason(refused)) from None
    return compiled


def pattern_text(text: str) -> str:
    """Text as patterns see it: NFKC, case kept, never a lone surrogate."""
    normal = text[:MAX_TEXT]
    if not normal.isascii():
        normal = unicodedata.normalize("NFKC", normal).encode("utf-8", "replace").decode()
    return normal


def _reason(refused: Exception) -> str:
    reason = refused.args[0] if refused.args else "it cannot be compiled"
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
