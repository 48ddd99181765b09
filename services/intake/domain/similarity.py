"""How alike two texts are, and what they both name. Times are linear in the texts, of which a part is compared."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cached_property

WORDS = re.compile(r"\w+")
NUMBER = re.compile(r"(?<![\w.@/-])#?((?=[A-Za-z-]{0,12}\d)[A-Za-z0-9][A-Za-z0-9-]{3,29})(?![\w@]|\.\w|/)")
DATE = re.compile(r"(?:19|20)\d\d(?:-\d\d?){0,2}|\d{1,2}-\d{1,2}-\d{2,4}")
LONGEST = 4000
"""So many signs of a text are compared."""
PIECE = 100
SHINGLE = 3
FEWEST = 5
"""Of fewer shingles nothing follows: two short texts are compared by their letters."""


class Wording:
    """A text as it is compared: what is made of it is made once, when it is first asked for."""

    def __init__(self, text: str) -> None:
        self.text = _normal(text)

    @cached_property
    def words(self) -> list[str]:
        """In small letters, whatever stood around them."""
        return WORDS.findall(self.text.casefold()[:LONGEST])

    @cached_property
    def shingles(self) -> frozenset[tuple[str, ...]]:
        """Runs of three words."""
        return frozenset(zip(*(self.words[at:] for at in range(SHINGLE)), strict=False))

    @cached_property
    def trigrams(self) -> frozenset[str]:
        """Runs of three signs of each word, as pg_trgm makes them."""
        return frozenset(_three_each(self.words))

    @cached_property
    def numbers(self) -> frozenset[str]:
        """Order, serial and case numbers that it names: at least four signs with a digit, and no date."""
        found = NUMBER.findall(self.text)
        return frozenset(number.casefold() for number in found if not DATE.fullmatch(number))


def alike(one: Wording, other: Wording) -> float:
    """0 to 1: the share of the shorter text's runs of three words that both have; of short texts, that of trigrams."""
    fewer = min(len(one.shingles), len(other.shingles))
    return trigram_similarity(one, other) if fewer < FEWEST else len(one.shingles & other.shingles) / fewer


def trigram_similarity(one: Wording, other: Wording) -> float:
    """0 to 1, as pg_trgm counts it: trigrams in both / trigrams in either."""
    mine, theirs = one.trigrams, other.trigrams
    return len(mine & theirs) / len(mine | theirs) if mine and theirs else 0.0


def _normal(text: str) -> str:
    """NFKC, cut before and after it, for it makes up to 18 signs of one."""
    if text.isascii():
        return text[:LONGEST]
    made, length = list[str](), 0
    for piece in _pieces(text[:LONGEST]):
        made.append(unicodedata.normalize("NFKC", piece))
        length += len(made[-1])
        if length > LONGEST:
            break
    return "".join(made)[:LONGEST]


def _pieces(text: str) -> Iterable[str]:
    # not in one: sorting a long run of combining marks takes the square of its length
    for word in text.split():
        for at in range(0, len(word), PIECE):
            yield word[at : at + PIECE]
        yield " "


def _three_each(words: Iterable[str]) -> Iterable[str]:
    for word in words:
        padded = f"  {word} "
        yield from (padded[at : at + 3] for at in range(len(padded) - 2))
