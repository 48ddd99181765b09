"""Why a condition does not hold: the leaves that would have to be otherwise."""

from dataclasses import dataclass

from libs.conditions.evaluate import compiled
from libs.conditions.fields import Kind, field_named
from libs.conditions.problems import Path, written
from libs.conditions.reading import Context, Facts, Reading
from libs.conditions.tree import All, AnyOf, Leaf, Node, Not


@dataclass(frozen=True, slots=True)
class Failure:
    """One leaf that stands in the way. `negated` means: it holds, and an enclosing `not` wants it not to.

    `found` is the value that was looked at; texts of customers (subject, body) are never repeated, they read "(text)".
    """

    path: Path
    leaf: Leaf
    negated: bool
    found: object

    def __str__(self) -> str:
        wanted = f"not ({self.leaf})" if self.negated else str(self.leaf)
        return f"{written(self.path)}: {wanted} - found {'nothing' if self.found is None else self.found}"


def explain(condition: Node, facts: Facts, context: Context) -> tuple[Failure, ...]:
    """The leaves that fail; empty exactly when the condition holds. Of an `any` without a true part, all are listed."""
    return failures(condition, Reading(facts, context))


def failures(condition: Node, reading: Reading, path: Path = (), negated: bool = False) -> tuple[Failure, ...]:
    """As `explain`, for a Reading that is there already. `negated` asks why the condition does hold."""
    match condition:
        case Not():
            return failures(condition.part, reading, (*path, "not"), not negated)
        case All():
            parts = [failures(part, reading, (*path, "all", at), negated) for at, part in enumerate(condition.all)]
            return _one_suffices(parts) if negated else _all_needed(parts)
        case AnyOf():
            parts = [failures(part, reading, (*path, "any", at), negated) for at, part in enumerate(condition.any)]
            return _all_needed(parts) if negated else _one_suffices(parts)
        case Leaf():
            if compiled(condition)(reading) != negated:
                return ()
            return (Failure(path, condition, negated, _shown(condition, reading)),)


def _all_needed(parts: list[tuple[Failure, ...]]) -> tuple[Failure, ...]:
    return tuple(failure for part in parts for failure in part)


def _one_suffices(parts: list[tuple[Failure, ...]]) -> tuple[Failure, ...]:
    return _all_needed(parts) if all(parts) else ()


def _shown(leaf: Leaf, reading: Reading) -> object:
    value, field = reading.value(leaf.field), field_named(leaf.field)
    private = field is not None and field.kind is Kind.TEXT
    return "(text)" if private and value is not None else value
