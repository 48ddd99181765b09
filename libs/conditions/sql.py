"""Conditions as PostgreSQL: `$n` for every value, nothing of a literal in the text.

A comparison may come out NULL where a column is: that counts as false, as WHERE has it, and what denies is written
IS NOT TRUE, so that an unset value satisfies every denial (behaviour V-2).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from json import dumps
from typing import Any

from libs.conditions import relative_time, text_match
from libs.conditions.evaluate import compiled, positive, rank, values_of
from libs.conditions.fields import CUSTOM_PREFIX, IN_TEXT, ME, MY_QUEUES, ORDER, PRIORITIES, Kind, field_named
from libs.conditions.reading import Context, Reading
from libs.conditions.tree import All, AnyOf, Leaf, Node, Not

FROM_CONTEXT = frozenset({"business_hours", "hour", "weekday"})
"""Fields of the moment, not of a ticket: the same for every row."""


class Parameters:
    """The arguments of one statement, in the order of their `$n`."""

    def __init__(self, *values: Any) -> None:
        self.values: list[Any] = list(values)

    def add(self, value: Any, type: str) -> str:
        """The place of a value, cast to a type."""
        self.values.append(value)
        return f"${len(self.values)}::{type}"


@dataclass(frozen=True, slots=True)
class Where:
    """A condition as SQL. exact: whether a row fits exactly where `sql` is true.

    Otherwise `sql` is true for every row that fits, and for some that do not: what looks into a text is decided in
    memory, for PostgreSQL neither folds as we do nor has our patterns.
    """

    sql: str
    exact: bool


def where(condition: Node, columns: Mapping[str, str], context: Context, parameters: Parameters) -> Where:
    """The condition over a table. columns: the expression of every field that is stored; `custom` is a jsonb of all.

    A field without a column is decided in memory, but for those of the context. Columns hold what intake stores:
    texts (tags: text[], never NULL), timestamptz, integer, boolean. KeyError if `custom` is asked and not there.
    """
    compiler = _Compiler(columns, context, parameters)
    return Where(compiler.sql(condition, wide=True), not compiler.left)


class _Compiler:
    """One compilation. left: whether memory has to look at rows again."""

    def __init__(self, columns: Mapping[str, str], context: Context, parameters: Parameters) -> None:
        self._columns, self._context, self._parameters = columns, context, parameters
        self.left = False

    def sql(self, node: Node, *, wide: bool) -> str:
        """wide: what memory decides is taken for true here, else (below a `not`) for false."""
        match node:
            case All():
                # nobody writes an `all` of nothing, but a list that is narrowed by nothing is one
                return "(" + (" AND ".join(self.sql(part, wide=wide) for part in node.all) or "true") + ")"
            case AnyOf():
                return "(" + " OR ".join(self.sql(part, wide=wide) for part in node.any) + ")"
            case Not():
                return _denied(self.sql(node.part, wide=not wide))
            case Leaf():
                asked, affirmed = positive(node)
                return self._leaf(asked, wide=wide) if affirmed else _denied(self._leaf(asked, wide=not wide))

    def _leaf(self, leaf: Leaf, *, wide: bool) -> str:
        name = leaf.field
        if name in FROM_CONTEXT and name not in self._columns:
            return str(compiled(leaf)(Reading({}, self._context))).lower()
        column, custom = self._columns.get(name), name.startswith(CUSTOM_PREFIX)
        if leaf.operator in IN_TEXT or (column is None and not custom):
            self.left = True
            return self._glance(leaf, column) if wide else "false"
        return _COMPILE[_kind(name), leaf.operator](self, column or self._custom(name), leaf)

    def _custom(self, name: str) -> str:
        return f"({self._columns['custom']} -> {self._parameters.add(name.removeprefix(CUSTOM_PREFIX), 'text')})"

    def _glance(self, leaf: Leaf, column: str | None) -> str:
        """What is true for every text that fits, and for few others."""
        if column is None or leaf.operator not in ("word", "contains"):
            return "true"
        found = [f"octet_length({column}) <> char_length({column})"]
        # an ASCII text, folded, is the same in lower case with other blanks, and holds nothing that is not ASCII
        for needle in map(text_match.fold, map(str, values_of(leaf))):
            if needle.isascii() and "\x00" not in needle:
                longest = max(needle.split(), key=len)
                found.append(f"strpos(lower({column}), {self._parameters.add(longest, 'text')}) > 0")
        return f"({' OR '.join(found)})"

    def present(self, column: str, leaf: Leaf) -> str:
        return f"{column} IS NOT NULL"

    def not_empty(self, column: str, leaf: Leaf) -> str:
        return f"{column} <> ''"

    def tagged(self, column: str, leaf: Leaf) -> str:
        return f"cardinality({column}) > 0"

    def one_of(self, column: str, leaf: Leaf) -> str:
        values = _storable(values_of(leaf))
        wanted = [value for value in values if value not in (ME, MY_QUEUES)]
        if ME in values and self._context.me is not None:
            wanted.append(self._context.me)
        if MY_QUEUES in values:
            wanted += sorted(self._context.my_queues)
        return self._equal(column, wanted, "text")

    def number(self, column: str, leaf: Leaf) -> str:
        return self._equal(column, values_of(leaf), "bigint")

    def flag(self, column: str, leaf: Leaf) -> str:
        return column if leaf.value is True else f"NOT {column}"

    def ordered(self, column: str, leaf: Leaf) -> str:
        return f"{column} {_ORDER[leaf.operator]} {self._parameters.add(leaf.value, 'bigint')}"

    def ranked(self, column: str, leaf: Leaf) -> str:
        bound = rank(values_of(leaf)[0])
        assert bound is not None
        return self._equal(column, [one for one in PRIORITIES if _fits(leaf.operator, rank(one), bound)], "text")

    def before(self, column: str, leaf: Leaf) -> str:
        return f"{column} < {self._point(leaf)}"

    def after(self, column: str, leaf: Leaf) -> str:
        return f"{column} > {self._point(leaf)}"

    def within(self, column: str, leaf: Leaf) -> str:
        first, last = sorted((self._context.now, relative_time.point(leaf.value, self._context.now)))
        earliest, latest = (self._parameters.add(moment, "timestamptz") for moment in (first, last))
        return f"{column} BETWEEN {earliest} AND {latest}"

    def any_tag(self, column: str, leaf: Leaf) -> str:
        return f"{column} && {self._parameters.add(_storable(values_of(leaf)), 'text[]')}"

    def custom_set(self, column: str, leaf: Leaf) -> str:
        return f"(jsonb_typeof({column}) <> 'null' AND {column} <> '\"\"')"

    def custom_equal(self, column: str, leaf: Leaf) -> str:
        documents = [dumps(value) for value in _storable(values_of(leaf))]
        return f"{column} = ANY({self._parameters.add(documents, 'text[]')}::jsonb[])"

    def custom_ordered(self, column: str, leaf: Leaf) -> str:
        bound = f"{self._parameters.add(repr(leaf.value), 'text')}::numeric"
        number = f"CASE jsonb_typeof({column}) WHEN 'number' THEN ({column} #>> '{{}}')::numeric END"
        return f"{number} {_ORDER[leaf.operator]} {bound}"

    def _equal(self, column: str, values: Sequence[object], type: str) -> str:
        if len(values) == 1:
            return f"{column} = {self._parameters.add(values[0], type)}"
        return f"{column} = ANY({self._parameters.add(list(values), f'{type}[]')})"

    def _point(self, leaf: Leaf) -> str:
        return self._parameters.add(relative_time.point(leaf.value, self._context.now), "timestamptz")


Compile = Callable[[_Compiler, str, Leaf], str]

_ORDER = {"less_than": "<", "at_most": "<=", "greater_than": ">", "at_least": ">="}
_EQUAL = ("is", "in")
_TEXTS: dict[str, Compile] = {"is_set": _Compiler.not_empty, **dict.fromkeys(_EQUAL, _Compiler.one_of)}
_BY_KIND: dict[Kind, dict[str, Compile]] = {
    Kind.TEXT: _TEXTS,
    Kind.KEY: _TEXTS,
    Kind.NAME: _TEXTS,
    Kind.PRIORITY: {**_TEXTS, **dict.fromkeys(ORDER, _Compiler.ranked)},
    Kind.NUMBER: {
        "is_set": _Compiler.present,
        **dict.fromkeys(_EQUAL, _Compiler.number),
        **dict.fromkeys(ORDER, _Compiler.ordered),
    },
    Kind.FLAG: {"is_set": _Compiler.present, "is": _Compiler.flag},
    Kind.TIME: {
        "is_set": _Compiler.present,
        "before": _Compiler.before,
        "after": _Compiler.after,
        "within": _Compiler.within,
    },
    Kind.SET: {"is_set": _Compiler.tagged, "has": _Compiler.any_tag, "has_any": _Compiler.any_tag},
    Kind.CUSTOM: {
        "is_set": _Compiler.custom_set,
        **dict.fromkeys(_EQUAL, _Compiler.custom_equal),
        **dict.fromkeys(ORDER, _Compiler.custom_ordered),
    },
}
_COMPILE = {(kind, operator): compile for kind, mine in _BY_KIND.items() for operator, compile in mine.items()}


def _kind(name: str) -> Kind:
    field = field_named(name)
    assert field is not None
    return field.kind


def _denied(sql: str) -> str:
    return f"({sql}) IS NOT TRUE"


def _fits(operator: str, value: int | None, bound: int) -> bool:
    assert value is not None
    return {"<": value < bound, "<=": value <= bound, ">": value > bound, ">=": value >= bound}[_ORDER[operator]]


def _storable(values: Sequence[object]) -> list[object]:
    """The values that a column can hold at all: PostgreSQL has no NUL."""
    return [value for value in values if not (isinstance(value, str) and "\x00" in value)]
