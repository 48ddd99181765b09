"""One question to one ticket, as the tables of these tests ask it."""

from datetime import UTC, datetime

from libs.conditions.evaluate import evaluate
from libs.conditions.reading import Context
from libs.conditions.tree import parse

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # a Wednesday
CONTEXT = Context(now=NOW)


def holds(field: str, operator: str, value: object = None, context: Context = CONTEXT, /, **facts: object) -> bool:
    return evaluate(parse({"field": field, "operator": operator, "value": value}), facts, context)
