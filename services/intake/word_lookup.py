"""Words as PostgreSQL looks for them: their forms in each language, and how often they occur."""

from collections.abc import Sequence

from pydantic_core import from_json

from libs.chassis.transaction import Connection
from services.intake.search_words import LANGUAGES, NEUTRAL, Search, Words

RARE = 10_000
"""So many tickets with the words are read and sorted; with more, tickets are read in order until enough have them."""

# the beginning of a word has no stem
FORMS = """
SELECT array_agg(DISTINCT to_tsquery(l.config::regconfig, x.lexeme)::text) AS forms
FROM unnest($1::text[], $2::boolean[]) WITH ORDINALITY AS x(lexeme, prefix, place)
JOIN unnest($3::text[]) AS l(config) ON NOT x.prefix OR l.config = $4 GROUP BY x.place ORDER BY x.place
"""
ESTIMATE = "EXPLAIN (FORMAT JSON) SELECT FROM ticket_search WHERE words @@ $1::text::tsquery"


async def looked_up(connection: Connection, search: Search) -> Words | None:
    """The terms of a search, None if it has none. Each form of a word stands there once: a guess adds them up."""
    if not search.terms:
        return None
    rows = await connection.fetch(
        FORMS,
        [term.lexeme(notes=search.notes) for term in search.terms],
        [term.prefix for term in search.terms],
        [NEUTRAL, *LANGUAGES.values()],
        NEUTRAL,
    )
    query = _query(search, [[form for form in row["forms"] if form] for row in rows])
    if not query:
        return Words("")
    plan = from_json(await connection.fetchval(ESTIMATE, query))
    return Words(query, frequent=plan[0]["Plan"]["Plan Rows"] > RARE)


def _query(search: Search, forms: Sequence[Sequence[str]]) -> str:
    said = [(term.denied, f"({' | '.join(each)})") for term, each in zip(search.terms, forms, strict=True) if each]
    if all(denied for denied, _ in said):
        return ""
    return " & ".join(f"!{form}" if denied else form for denied, form in said)
