"""Conditions as people type them: `status = open and (priority in (high, critical) or tags has vip)`.

    expression = conjunction { "or" conjunction }
    conjunction = negation { "and" negation }
    negation = "not" negation | "(" expression ")" | comparison
    comparison = field operator [ value | "(" value { "," value } ")" ]

What it means is the tree of `libs.conditions.tree`; `libs.conditions.where_writing` is the way back.
"""

from libs.conditions.fields import FIELDS, Field, Kind, field_named
from libs.conditions.literals import ONE_OR_SEVERAL, SEVERAL, WITHOUT_VALUE, Refused, check
from libs.conditions.problems import ConditionError
from libs.conditions.tree import All, AnyOf, Leaf, Node, Not, Scalar, parse, plain
from libs.conditions.where_tokens import Mark, Token, WhereError, literal, tokens
from libs.conditions.where_writing import WRITTEN

MAX_WHERE = 4_000
MAX_NESTING = 16

_SIGNS = {"=": "is", "!=": "is_not", "<": "less_than", "<=": "at_most", ">": "greater_than", ">=": "at_least"}
_TIMES = {"<": "before", ">": "after"}
_PAIRS = {
    ("not", "in"): "not_in",
    ("has", "any"): "has_any",
    ("has", "none"): "has_none",
    ("is", "set"): "is_set",
    ("is", "unset"): "is_unset",
}


def parse_where(text: str) -> Node:
    """The condition that a text describes. WhereError names position, token and what would be right."""
    if len(text) > MAX_WHERE:
        raise WhereError(MAX_WHERE + 1, text[MAX_WHERE : MAX_WHERE + 20], f"more than {MAX_WHERE} characters")
    return _Parser(tokens(text)).whole()


class _Parser:
    """Recursive descent over the tokens of one text."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens, self._at, self._depth = found, 0, 0

    def whole(self) -> Node:
        condition = self._expression()
        if self._next.mark is not Mark.END:
            raise self._next.refused("nothing can follow here", "and, or, the end")
        try:
            return parse(plain(condition))
        except ConditionError as error:
            raise self._next.refused(error.problems[0].reason) from None

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        self._at += token.mark is not Mark.END
        return token

    def _expression(self) -> Node:
        parts = [self._conjunction()]
        while self._next.means("or"):
            self._take()
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else AnyOf.model_construct(any=tuple(parts))

    def _conjunction(self) -> Node:
        parts = [self._negation()]
        while self._next.means("and"):
            self._take()
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else All.model_construct(all=tuple(parts))

    def _negation(self) -> Node:
        if not self._next.means("not", "("):
            return self._comparison()
        opening = self._take()
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise opening.refused(f"is nested more than {MAX_NESTING} deep")
        if opening.text == "(":
            inner = self._expression()
            self._closing("and, or, )")
        else:
            inner = Not.model_construct(part=self._negation())
        self._depth -= 1
        return inner

    def _closing(self, allowed: str) -> None:
        if not self._next.means(")"):
            raise self._next.refused("a parenthesis is open", allowed)
        self._take()

    def _comparison(self) -> Leaf:
        name = self._take()
        field = field_named(name.text) if name.mark is Mark.WORD else None
        if field is None:
            raise _no_field(name)
        sign, operator = self._operator(field)
        places = [self._next]
        value = None if operator in WITHOUT_VALUE else self._value(field, operator, places)
        try:
            check(field.name, operator, value)
        except Refused as refused:
            place = sign if refused.part == "operator" else _blamed(field, operator, value, places)
            raise place.refused(refused.reason, refused.allowed) from None
        return Leaf(field=field.name, operator=operator, value=value)

    def _operator(self, field: Field) -> tuple[Token, str]:
        sign, allowed = self._take(), ", ".join(dict.fromkeys(WRITTEN[each] for each in field.operators))
        pair = (sign.text.lower(), self._next.text.lower())
        operator = _PAIRS.get(pair) if sign.mark is Mark.WORD and self._next.mark is Mark.WORD else None
        # a tag may be called any: `tags has any` asks for it, `tags has any (a, b)` for one of two
        if operator is not None and (
            operator not in SEVERAL or pair[0] != "has" or self._tokens[self._at + 1].means("(")
        ):
            self._take()
        elif sign.mark is Mark.SIGN:
            operator = (_TIMES.get(sign.text) if field.kind is Kind.TIME else None) or _SIGNS.get(sign.text)
        else:
            operator = sign.text.lower() if sign.mark is Mark.WORD else None
        if operator not in field.operators:
            reason = f"does not suit {field.name}, a {field.kind}" if operator in WRITTEN else "is no comparison"
            raise sign.refused(reason, allowed)
        return sign, operator

    def _value(self, field: Field, operator: str, places: list[Token]) -> Scalar | tuple[Scalar, ...]:
        if not self._next.means("("):
            return literal(self._take(), field, operator)
        if operator not in SEVERAL | ONE_OR_SEVERAL:
            raise self._next.refused(f"{WRITTEN[operator]} takes one value, not a list")
        self._take()
        places[:] = [self._next]
        values = [literal(self._take(), field, operator)]
        while self._next.means(","):
            self._take()
            places.append(self._next)
            values.append(literal(self._take(), field, operator))
        self._closing("a comma, )")
        return tuple(values)


def _no_field(token: Token) -> WhereError:
    if token.mark is not Mark.WORD:
        return token.refused("here a comparison begins", "a field, not, (")
    try:
        check(token.text, "is_set", None)
    except Refused as refused:
        return token.refused("is no field", refused.allowed)
    return token.refused("is no field", ", ".join(FIELDS))


def _blamed(field: Field, operator: str, value: object, places: list[Token]) -> Token:
    """The token of the value that is wrong by itself; the first if only all of them together are."""
    if isinstance(value, tuple):
        for one, place in zip(value, places, strict=True):
            try:
                check(field.name, operator, (one,))
            except Refused:
                return place
    return places[0]
