"""A ticket as the flat, typed, bounded fact that the rule engine may see.

Native are: texts compared for equality, whole numbers and flags compared affirmatively. Everything else (customers'
words, sets, lists, times, custom fields, whole sub-conditions, and every denial of a number or flag, which an unset
value satisfies) is an atom: `a12: 1` when the answer is yes, `n12: 1` when it is no and some rule asks for the no.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring

from libs.conditions import text_match
from libs.conditions.evaluate import Test, compiled, rank, values_of
from libs.conditions.fields import ME, MY_QUEUES, Kind, field_named
from libs.conditions.literals import MAX_INTEGER, MAX_STRING
from libs.conditions.reading import Reading
from libs.conditions.tree import Leaf
from libs.conditions.word_index import WordIndex
from services.router.normal_form import Conjunction, Literal

Expression = dict[str, object]

TICKET: Expression = {"k": "t"}
PROBE: Expression = {"k": "p"}

_TICKET_FIELDS = '"id":"T","k":"t"'

_STRINGS = (Kind.KEY, Kind.NAME, Kind.PRIORITY)
_COMPARISONS = {"less_than": "$lt", "at_most": "$lte", "greater_than": "$gt", "at_least": "$gte"}
_Render = Callable[[object], str | None]
"""The JSON of a value; None leaves it out of the fact."""

_RANK = "r_"
_VALUE = "f_"


@dataclass(frozen=True, slots=True)
class Projected:
    """A fact in the JSON that the engine reads: its fields, and the names of its atoms."""

    fields: str
    atoms: frozenset[str]

    def text(self, wanted: frozenset[str] | None = None) -> str:
        """The fact as one JSON object, with all atoms or only with the wanted ones."""
        atoms = self.atoms if wanted is None else self.atoms & wanted
        return "".join(["{", self.fields, *[f',"{name}":1' for name in atoms], "}"])


class Projection:
    """Gives each literal of the rules its expression, and each ticket the fact that these expressions look at."""

    def __init__(self) -> None:
        self._native: dict[str, tuple[str, _Render]] = {}
        self._numbers: dict[str, int] = {}
        self._denied: set[int] = set()
        self._tests: list[tuple[int, Test]] = []
        self._looked_up: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        self._words: dict[str, WordIndex] = {}

    def expressions(self, conjunction: Conjunction) -> tuple[Expression, ...]:
        """The conditions of the engine that are all true exactly when the conjunction holds.

        Atoms come first: the engine looks only at conditions on properties that the fact has.
        """
        ordered = sorted(conjunction, key=lambda literal: (literal.text, literal.holds))
        return tuple(sorted(map(self.expression, ordered), key=_looked_at))

    def expression(self, literal: Literal) -> Expression:
        """The condition of the engine that is true exactly when the literal is."""
        question = literal.question
        if isinstance(question, Leaf):
            native = self._native_expression(question, literal.holds)
            if native is not None:
                return native
        number = self._atom(literal)
        if literal.holds:
            return {f"a{number}": 1}
        self._denied.add(number)
        return {f"n{number}": 1}

    def project(self, reading: Reading) -> Projected:
        """The fact of one ticket. FactError if a field that a rule reads has the wrong type."""
        fields = [_TICKET_FIELDS]
        for head, (field, render) in self._native.items():
            rendered = render(reading.value(field))
            if rendered is not None:
                fields.append(head + rendered)
        true = self._true(reading)
        atoms = [f"a{one}" for one in true]
        if self._denied:
            atoms += [f"n{one}" for one in self._denied - true]
        return Projected("".join(fields), frozenset(atoms))

    def _native_expression(self, leaf: Leaf, holds: bool) -> Expression | None:
        field = field_named(leaf.field)
        assert field is not None
        value = values_of(leaf)[0] if leaf.value is not None else None
        if leaf.operator == "is" and field.kind in _STRINGS and value not in (ME, MY_QUEUES):
            name = self._read_natively(_VALUE, leaf.field, _string)
            return {name: value} if holds else {"$neq": {name: value}}
        if not holds:
            return None
        if leaf.operator == "is" and field.kind is Kind.FLAG:
            return {self._read_natively(_VALUE, leaf.field, _flag): value}
        if leaf.operator == "is" and field.kind is Kind.NUMBER:
            return {self._read_natively(_VALUE, leaf.field, _number): value}
        if leaf.operator in _COMPARISONS and field.kind is Kind.NUMBER:
            return {_COMPARISONS[leaf.operator]: {self._read_natively(_VALUE, leaf.field, _number): value}}
        if leaf.operator in _COMPARISONS and field.kind is Kind.PRIORITY:
            return {_COMPARISONS[leaf.operator]: {self._read_natively(_RANK, leaf.field, _rank): rank(value)}}
        return None

    def _read_natively(self, prefix: str, field: str, render: _Render) -> str:
        self._native[f',"{prefix}{field}":'] = field, render
        return prefix + field

    def _atom(self, literal: Literal) -> int:
        number = self._numbers.get(literal.text)
        if number is None:
            number = self._numbers[literal.text] = len(self._numbers)
            self._answer(number, literal)
        return number

    def _answer(self, number: int, literal: Literal) -> None:
        question = literal.question
        if isinstance(question, Leaf) and question.operator == "word":
            index = self._words.setdefault(question.field, WordIndex(question.field))
            index.add([text_match.fold(str(one)) for one in values_of(question)], number)
        elif isinstance(question, Leaf) and (keys := _keys(question)):
            _file(self._looked_up[question.field], keys, number)
        else:
            self._tests.append((number, compiled(question)))

    def _true(self, reading: Reading) -> set[int]:
        true = {number for number, test in self._tests if test(reading)}
        for index in self._words.values():
            true |= index.found(reading)
        for field, numbers in self._looked_up.items():
            value = reading.value(field)
            for one in value if isinstance(value, frozenset) else (value,):
                if one in numbers:
                    true.update(numbers[one])
        return true


def _looked_at(expression: Expression) -> int:
    (name,) = expression
    return ("a", "n", "f", "r", "$").index(name[0])


def _file(table: dict[str, list[int]], keys: Sequence[str], number: int) -> None:
    for key in dict.fromkeys(keys):
        table[key].append(number)


def _keys(leaf: Leaf) -> Sequence[str]:
    """The values to look up in a set or a key, if that answers the leaf."""
    field = field_named(leaf.field)
    assert field is not None
    if field.kind is not Kind.SET and not (field.kind in _STRINGS and leaf.operator == "in"):
        return ()
    keys = [str(one) for one in values_of(leaf)]
    return () if ME in keys or MY_QUEUES in keys else keys


def _string(value: object) -> str:
    """Empty for an unset value and for one that equals no literal: literals are short, valid and never empty."""
    if not isinstance(value, str) or len(value) > MAX_STRING:
        return '""'
    sound = value.isascii() or value == value.encode("utf-8", "replace").decode()
    return encode_basestring(value) if sound else '""'


def _flag(value: object) -> str | None:
    return None if value is None else "true" if value else "false"


def _number(value: object) -> str | None:
    """Beyond the largest literal every number compares alike, so it is cut there: the engine reads 64 bits."""
    return str(max(-MAX_INTEGER - 1, min(value, MAX_INTEGER + 1))) if isinstance(value, int) else None


def _rank(value: object) -> str | None:
    found = rank(value)
    return None if found is None else str(found)
