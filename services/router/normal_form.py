"""Conditions as alternatives of conjunctions, bounded: the only shape the rule engine is given.

Whatever would grow too wide stays one literal that plain Python answers, so nothing that can be written leaves the
engine's envelope.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod

from libs.conditions.evaluate import positive
from libs.conditions.tree import All, AnyOf, Leaf, Node, Not, plain_text

MAX_ALTERNATIVES = 4
MAX_LITERALS = 8


@dataclass(frozen=True, slots=True)
class Literal:
    """A question (a positive leaf, or a whole condition) and the answer that is wanted. Equal by its text."""

    text: str
    holds: bool
    question: Node = field(compare=False)


Conjunction = frozenset[Literal]
Alternatives = tuple[Conjunction, ...]


def alternatives(condition: Node | None) -> Alternatives:
    """At most 4 conjunctions of at most 8 literals; the condition holds when one of them does. None always holds."""
    if condition is None:
        return (frozenset(),)
    return tuple(_packed(conjunction) for conjunction in _wanted(condition, True))


def _wanted(condition: Node, holds: bool) -> Alternatives:
    match condition:
        case Leaf():
            asked, affirmed = positive(condition)
            return (frozenset({_literal(asked, holds == affirmed)}),)
        case Not():
            return _wanted(condition.part, not holds)
        case All():
            return _both(condition.all, holds) if holds else _either(condition, condition.all, holds)
        case AnyOf():
            return _either(condition, condition.any, holds) if holds else _both(condition.any, holds)


def _literal(question: Node, holds: bool) -> Literal:
    return Literal(plain_text(question), holds, question)


def _either(whole: Node, parts: Sequence[Node], holds: bool) -> Alternatives:
    found = dict.fromkeys(conjunction for part in parts for conjunction in _wanted(part, holds))
    if len(found) > MAX_ALTERNATIVES:
        return (frozenset({_literal(whole, holds)}),)
    return tuple(found)


def _both(parts: Sequence[Node], holds: bool) -> Alternatives:
    forms = [_wanted(part, holds) for part in parts]
    while prod(map(len, forms)) > MAX_ALTERNATIVES:
        widest = max(range(len(forms)), key=lambda at: len(forms[at]))
        forms[widest] = (frozenset({_literal(parts[widest], holds)}),)
    joined = dict.fromkeys(frozenset().union(*chosen) for chosen in product(*forms))
    return tuple(conjunction for conjunction in joined if not _contradicts_itself(conjunction))


def _contradicts_itself(conjunction: Conjunction) -> bool:
    return len({literal.text for literal in conjunction}) < len(conjunction)


def _packed(conjunction: Conjunction) -> Conjunction:
    if len(conjunction) <= MAX_LITERALS:
        return conjunction
    ordered = sorted(conjunction, key=lambda literal: (literal.text, literal.holds))
    alone, rest = ordered[: MAX_LITERALS - 1], ordered[MAX_LITERALS - 1 :]
    whole = All(all=tuple(one.question if one.holds else Not.of(one.question) for one in rest))
    return frozenset({*alone, _literal(whole, True)})
