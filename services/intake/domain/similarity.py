"""How alike two texts are, and what they both name. Times are linear in the texts, which the caller has cut."""

import re
import unicodedata
from collections.abc import Iterable

WORDS = re.compile(r"\w+")
NUMBER = re.compile(r"(?<![\w.@/-])#?((?=[A-Za-z-]{0,12}\d)[A-Za-z0-9][A-Za-z0-9-]{3,29})(?![\w@]|\.\w|/)")
DATE = re.compile(r"(?:19|20)\d\d(?:-\d\d?){0,2}|\d{1,2}-\d{1,2}-\d{2,4}")
SHINGLE = 3
FEWEST = 5
"""Of fewer shingles nothing follows: two short texts are compared by their letters."""


def folded(text: str) -> str:
    """Words in small letters with one blank between, whatever stood around them."""
    return " ".join(WORDS.findall(unicodedata.normalize("NFKC", text).casefold()))


def alike(one: str, other: str) -> float:
    """0 to 1: the share of the shorter text's runs of three words that both have; of short texts, that of trigrams."""
    mine, theirs = _shingles(one), _shingles(other)
    if min(len(mine), len(theirs)) < FEWEST:
        return trigram_similarity(one, other)
    return len(mine & theirs) / min(len(mine), len(theirs))


def trigram_similarity(one: str, other: str) -> float:
    """0 to 1, as pg_trgm counts it: trigrams in both / trigrams in either."""
    mine, theirs = _trigrams(one), _trigrams(other)
    return len(mine & theirs) / len(mine | theirs) if mine and theirs else 0.0


def numbers(*texts: str) -> frozenset[str]:
    """Order, serial and case numbers that texts name: at least four signs with a digit, and no date."""
    found = (match for text in texts for match in NUMBER.findall(unicodedata.normalize("NFKC", text)))
    return frozenset(number.casefold() for number in found if not DATE.fullmatch(number))


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = folded(text).split()
    return {tuple(words[at : at + SHINGLE]) for at in range(len(words) - SHINGLE + 1)}


def _trigrams(text: str) -> set[str]:
    return set(_three_each(folded(text).split()))


def _three_each(words: Iterable[str]) -> Iterable[str]:
    for word in words:
        padded = f"  {word} "
        yield from (padded[at : at + 3] for at in range(len(padded) - 2))
