"""Views that people keep, in PostgreSQL: their own, a queue's, everybody's (behaviour V-5)."""

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic_core import from_json

from libs.chassis.transaction import Connection
from libs.conditions.tree import Node, parse, plain_text
from services.intake.folders import Sort

MOST_OF_ONE, MOST_SHARED = 100, 500


class Scope(StrEnum):
    """Who sees a view."""

    PERSONAL = "personal"
    QUEUE = "queue"
    GLOBAL = "global"


@dataclass(frozen=True, slots=True)
class View:
    """One view. owner: the agent it is personal to. queue: whose agents see it. version: its ETag."""

    id: str
    label: str
    scope: Scope
    owner: str | None
    queue: str | None
    condition: Node
    columns: tuple[str, ...]
    sort: Sort
    version: int
    created_by: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks. sees_all: leads and programs see the views of every queue."""

    agent: str | None
    queues: frozenset[str] = frozenset()
    sees_all: bool = False


COLUMNS = tuple(field.name for field in fields(View))
VISIBLE = """
(scope = 'global' OR (scope = 'personal' AND owner = $1) OR (scope = 'queue' AND ($3 OR queue = ANY($2::text[]))))
"""
SELECT = f"SELECT {', '.join(COLUMNS)} FROM views WHERE {VISIBLE}"
ALL = f"{SELECT} ORDER BY scope, label, id"
ONE = f"{SELECT} AND id = $4"
CROWD = """
SELECT count(*) FROM views WHERE CASE WHEN $1::text IS NULL THEN scope <> 'personal' ELSE owner = $1 END
"""
SAVE = f"""
INSERT INTO views ({", ".join(COLUMNS)})
VALUES ($1, $2, $3, $4, $5, $6::text::jsonb, $7, $8, $9, $10, $11, $12)
ON CONFLICT (id) DO UPDATE SET label = excluded.label, condition = excluded.condition, columns = excluded.columns,
    sort = excluded.sort, version = excluded.version, updated_at = excluded.updated_at
"""
DELETE = "DELETE FROM views WHERE id = $1"
QUEUES = "SELECT queues FROM agents WHERE key = $1"


class SavedViews:
    """The views as one transaction sees them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def visible(self, viewer: Viewer) -> list[View]:
        """What somebody sees, by scope and name."""
        return [_view(row) for row in await self._connection.fetch(ALL, *_asked(viewer))]

    async def one(self, id: str, viewer: Viewer) -> View | None:
        """A view, None if there is none or it is not theirs to see."""
        row = await self._connection.fetchrow(ONE, *_asked(viewer), id)
        return None if row is None else _view(row)

    async def is_full(self, owner: str | None) -> bool:
        """Whether an agent, or with None all who share, has as many as one may have."""
        found: int = await self._connection.fetchval(CROWD, owner)
        return found >= (MOST_SHARED if owner is None else MOST_OF_ONE)

    async def save(self, view: View) -> None:
        """Keep a new view, or what a person may change of one."""
        values = [getattr(view, name) for name in COLUMNS]
        values[COLUMNS.index("condition")] = plain_text(view.condition)
        await self._connection.execute(SAVE, *values)

    async def delete(self, id: str) -> None:
        """Forget a view."""
        await self._connection.execute(DELETE, id)


async def queues_of(connection: Connection, agent: str | None) -> frozenset[str]:
    """The queues that an agent is in."""
    found = None if agent is None else await connection.fetchval(QUEUES, agent)
    return frozenset(found or ())


def _asked(viewer: Viewer) -> tuple[str | None, list[str], bool]:
    return viewer.agent, sorted(viewer.queues), viewer.sees_all


def _view(row: Any) -> View:
    read = {
        "scope": Scope(row["scope"]),
        "condition": parse(from_json(row["condition"])),
        "columns": tuple(row["columns"]),
        "sort": Sort(row["sort"]),
    }
    return View(**{**row, **read})
