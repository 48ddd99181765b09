"""Many needles of `word` asked of one text at once: what is not in the text costs nothing, or next to it."""

from collections import defaultdict
from collections.abc import Iterable

from libs.conditions import text_match
from libs.conditions.reading import Reading

SCANNED = 16
"""A text of more characters a needle is searched for each needle; cutting a shorter one into words is cheaper."""

_Asked = tuple[str, int]
"""A folded needle that has to be found as a whole, and the number of who asks for it."""
_Asking = tuple[str, tuple[int, ...]]
"""The same with everybody who asks for it."""


class WordIndex:
    """Numbers by needles that are asked of one field. `found` answers as `word` does for each of them."""

    def __init__(self, field: str) -> None:
        self._field = field
        self._words: dict[str, list[int]] = defaultdict(list)
        self._phrases: dict[str, list[_Asked]] = defaultdict(list)
        self._signs: list[_Asked] = []
        self._needles: list[_Asking] = []
        self._ascii: list[_Asking] = []
        self._firsts: frozenset[str] = frozenset()

    def add(self, needles: Iterable[str], number: int) -> None:
        """Ask for any of these folded needles on behalf of a number."""
        for needle in dict.fromkeys(needles):
            if text_match.is_single_word(needle):
                self._words[needle].append(number)
            elif first := text_match.first_word(needle):
                self._phrases[first].append((needle, number))
            else:
                self._signs.append((needle, number))
        self._firsts = frozenset([*self._words, *self._phrases])
        asked: dict[str, list[int]] = defaultdict(list)
        for needle, one in self._asked():
            asked[needle].append(one)
        self._needles = [(needle, tuple(numbers)) for needle, numbers in asked.items() if needle]
        self._ascii = [asking for asking in self._needles if asking[0].isascii()]

    def found(self, reading: Reading) -> set[int]:
        """The numbers that have a needle in the field."""
        folded = reading.folded(self._field)
        if not folded:
            return set()
        # no ASCII text holds what is not ASCII
        needles = self._ascii if folded.isascii() else self._needles
        if len(folded) > SCANNED * len(needles):
            return _searched(needles, folded)
        return self._by_words(reading, folded) | _held(self._signs, folded)

    def _by_words(self, reading: Reading, folded: str) -> set[int]:
        found: set[int] = set()
        for word in reading.words(self._field) & self._firsts:
            found.update(self._words.get(word, ()))
            if word in self._phrases:
                found |= _held(self._phrases[word], folded)
        return found

    def _asked(self) -> Iterable[_Asked]:
        yield from ((word, number) for word, numbers in self._words.items() for number in numbers)
        for phrases in self._phrases.values():
            yield from phrases
        yield from self._signs


def _held(asked: Iterable[_Asked], folded: str) -> set[int]:
    return {number for needle, number in asked if needle in folded and text_match.has_word(needle, folded)}


def _searched(needles: Iterable[_Asking], folded: str) -> set[int]:
    found: set[int] = set()
    for needle, numbers in needles:
        if needle in folded and text_match.has_word(needle, folded):
            found.update(numbers)
    return found
