"""Which tickets a list is about, and where PostgreSQL finds them."""

from collections.abc import Sequence
from dataclasses import dataclass

from libs.conditions.fields import FIELDS, STATUS_CATEGORIES
from libs.conditions.reading import Context
from libs.conditions.sql import Parameters, where
from libs.conditions.tree import Node, leaves
from services.intake.search_words import Search, Words

NOT_STORED = ("body", "business_hours", "hour", "weekday")
COLUMNS = {name: f"t.{name}" for name in FIELDS if name not in NOT_STORED} | {"custom": "t.custom"}
"""Where the fields of the grammar are stored (behaviour V-1)."""
LOOKED_AT = 5_000
"""So many tickets are looked at to count those with frequent words."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which tickets: those that fit the condition and the search, of these customers if any are named.

    `words`: the terms of the search, looked up.

    `bounded`: they are few among all there ever were (worked on, resolved, of one customer): the whole of them is read
    and sorted, for their place in an index over all tickets says nothing about how soon they are found.
    """

    condition: Node
    context: Context
    customers: Sequence[str] = ()
    search: Search | None = None
    words: Words | None = None
    bounded: bool = False

    @property
    def few(self) -> bool:
        """Whether all of them can be read, the words left aside."""
        search = self.search or Search()
        return self.bounded or bool(self.customers or search.emails or search.reference)


@dataclass(frozen=True, slots=True)
class Source:
    """FROM and WHERE over tickets `t`. exact: memory need not look. few: all of them can be sorted.

    late: the place of a tsquery that each ticket is asked for only when its turn comes.
    """

    sql: str
    exact: bool
    few: bool
    late: str = ""

    def has_words(self, id: str) -> str:
        """Whether the ticket has the words of `late`. A subquery, so that nothing is looked up before its turn."""
        return f"(SELECT s.words @@ {self.late} FROM ticket_search AS s WHERE s.ticket_id = {id})"


def source_of(question: Question, parameters: Parameters) -> Source:
    """Where the tickets of a question are found."""
    found = where(question.condition, COLUMNS, question.context, parameters)
    search, words = question.search or Search(), question.words
    conditions = ["t.removed IS NULL", found.sql, *search.people(parameters)]
    if question.customers:
        conditions.append(f"t.customer_id = ANY({parameters.add(list(question.customers), 'text[]')})")
    if any(leaf.field == "status" for leaf in leaves(question.condition)):
        # always so, and lets the index be used that begins with the category
        conditions.append(f"t.status_category = ANY({parameters.add(list(STATUS_CATEGORIES), 'text[]')})")
    if search.reference is not None:
        conditions.append(f"t.id = ANY(ARRAY({_mentions(search.reference, words, parameters)}))")
    elif words is not None and not words.query:
        conditions.append("false")
    elif words is not None and words.frequent:
        tsquery = f"{parameters.add(words.query, 'text')}::tsquery"
        return Source(f"FROM tickets AS t WHERE {' AND '.join(conditions)}", found.exact, question.few, tsquery)
    elif words is not None:
        joined = f"({_having(words, parameters)} OFFSET 0) AS w JOIN tickets AS t ON t.id = w.ticket_id"
        return Source(f"FROM {joined} WHERE {' AND '.join(conditions)}", found.exact, few=True)
    return Source(f"FROM tickets AS t WHERE {' AND '.join(conditions)}", found.exact, question.few)


def count(question: Question, most: int) -> tuple[str, Sequence[object], bool]:
    """A statement that counts up to `most` (found) and says whether it looked at all (complete); is it exact."""
    parameters = Parameters()
    source = source_of(question, parameters)
    limit = f"LIMIT {parameters.add(most, 'integer')}"
    if not source.late:
        sql = f"SELECT count(*) AS found, true AS complete FROM (SELECT {source.sql} {limit}) AS x"
    elif source.few:
        sql = f"""SELECT least(count(*) FILTER (WHERE {source.has_words("x.id")}), {limit[6:]}) AS found,
            count(*) <= {LOOKED_AT} AS complete FROM (SELECT t.id {source.sql} LIMIT {LOOKED_AT + 1}) AS x"""
    else:
        sql = f"""WITH w AS MATERIALIZED (
            SELECT ticket_id FROM ticket_search WHERE words @@ {source.late} LIMIT {LOOKED_AT + 1})
        SELECT count(*) AS found, (SELECT count(*) FROM w) <= {LOOKED_AT} AS complete
        FROM (SELECT {source.sql} AND t.id = ANY(ARRAY(SELECT ticket_id FROM w)) {limit}) AS x"""
    return sql, parameters.values, source.exact


def _having(words: Words, parameters: Parameters) -> str:
    return f"SELECT ticket_id FROM ticket_search WHERE words @@ {parameters.add(words.query, 'text')}::tsquery"


def _mentions(reference: str, words: Words | None, parameters: Parameters) -> str:
    """Ids of the ticket of the reference, and of those that mention it."""
    ticket = f"SELECT id FROM tickets WHERE reference = {parameters.add(reference, 'text')}"
    return ticket if words is None else f"({ticket}) UNION ALL ({_having(words, parameters)} LIMIT 1000)"
