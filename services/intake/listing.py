"""Lists of tickets as PostgreSQL is asked for them: a condition, an order, a page (behaviour V-3).

A walk over pages sees every ticket where it stood when the walk began. Its cursor carries the snapshot of the first
page; of a ticket that was changed since, the key of the order is read from what was said before. So a ticket that fits
all the while is met exactly once, whatever is written meanwhile.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator

from libs.chassis.pagination import Position
from libs.conditions.sql import Parameters
from libs.contracts.sla import TargetsSet, TargetState
from services.intake.folders import Sort
from services.intake.questions import Question, Source, source_of
from services.intake.tables import tickets

SHOWN = ", ".join(f"t.{column.name}" for column in tickets.c if column is not tickets.c.updated_minute)
SETTINGS = """
SET LOCAL statement_timeout = 2000; SET LOCAL jit = off; SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL enable_mergejoin = off; SET LOCAL enable_hashjoin = off
"""
"""A list that takes longer is the question's fault (decisions 23). What helps a query of minutes harms one of
milliseconds, and a plan made without the values knows nothing of how often they occur."""

LONGEST_TRANSACTION = timedelta(seconds=60)
"""What is older when a walk begins has been committed, or never will be."""

UNCHANGED = """age(t.xmin) > (SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint
    - pg_snapshot_xmin({snapshot})::text::bigint + 10000)"""
"""Surely not written since a snapshot; the rest costs a look at its facts."""
# one that began since stands before the beginning of the walk, or at its end
UPDATED_THEN = """coalesce((SELECT e.occurred_at FROM events AS e
    WHERE e.subject = t.id AND pg_visible_in_snapshot(e.xid, {snapshot}) ORDER BY e.n DESC LIMIT 1), t.updated_at)"""
DEADLINE_THEN = f"""(SELECT min((target ->> 'deadline')::timestamptz) FROM (
    SELECT data FROM timeline AS l WHERE l.ticket_id = t.id AND l.speaker = '{TargetsSet.SPEAKER}'
        AND l.type = '{TargetsSet.TYPE}' AND pg_visible_in_snapshot(l.xid, {{snapshot}}) ORDER BY l.n DESC LIMIT 1
) AS said, json_array_elements(said.data -> 'targets') AS target
    WHERE target ->> 'state' = '{TargetState.RUNNING}')"""
KEYS = {
    Sort.CREATED: ("t.created_at", None),
    Sort.NEWEST: ("t.created_at", None),
    Sort.UPDATED: ("t.updated_at", UPDATED_THEN),
    Sort.LATEST: ("t.updated_at", UPDATED_THEN),
    Sort.DEADLINE: ("t.next_deadline", DEADLINE_THEN),
}
"""The key of each order, and what it was at a snapshot, where it changes."""


def _sound(snapshot: str) -> str:
    lowest, highest, *running = [int(part) for part in snapshot.replace(",", ":").rstrip(":").split(":")]
    if not 0 < lowest <= highest < 2**63 or any(not lowest <= each < highest for each in running):
        raise ValueError("is no snapshot")
    if running != sorted(set(running)) or snapshot != f"{lowest}:{highest}:{','.join(map(str, running))}":
        raise ValueError("is no snapshot")
    return snapshot


class TicketPosition(Position):
    """Where a page of tickets ended. as_of, snapshot: when the walk began, by the clock and by the database."""

    sort: Sort
    id: str
    key: datetime | None
    as_of: datetime
    snapshot: Annotated[str, AfterValidator(_sound)]


@dataclass(frozen=True, slots=True)
class Query:
    """A statement for asyncpg. exact: whether every row of it fits, or memory has to look."""

    sql: str
    arguments: tuple[Any, ...] = field(default=())
    exact: bool = True


def page(question: Question, sort: Sort, limit: int, after: TicketPosition | None) -> Query:
    """The rows of a page: SHOWN, customer_name, customer_email, and for the cursor key and snapshot."""
    parameters = Parameters()
    source = source_of(question, parameters)
    ordered = _sorted if source.few or sort is Sort.DEADLINE else _indexed
    ids = ordered(source, sort, f"LIMIT {parameters.add(limit, 'integer')}", after, parameters)
    sql = f"""SELECT {SHOWN}, c.name AS customer_name, c.email AS customer_email, x.key,
        pg_current_snapshot()::text AS snapshot
        FROM ({ids}) AS x JOIN tickets AS t ON t.id = x.id LEFT JOIN customers AS c ON c.id = t.customer_id
        ORDER BY {_order(sort, "x.key", "x.id")}"""
    return Query(sql, tuple(parameters.values), source.exact)


def position(row: Any, sort: Sort, as_of: datetime, after: TicketPosition | None) -> TicketPosition:
    """Where a page ends whose last row this is; `after`: where the page began."""
    snapshot = row["snapshot"] if after is None else after.snapshot
    return TicketPosition(sort=sort, id=row["id"], key=row["key"], as_of=as_of, snapshot=snapshot)


def _sorted(source: Source, sort: Sort, limit: str, after: TicketPosition | None, parameters: Parameters) -> str:
    """All of them, sorted; frequent words are looked for in that order, until enough have them."""
    order = f"ORDER BY {_order(sort, 'key', 'id')}"
    found = f"SELECT t.id, {_key_then(sort, after, parameters)} AS key {source.sql}"
    if after is not None:
        # OFFSET: the key is worked out once for each row
        found = f"SELECT id, key FROM ({found} OFFSET 0) AS k WHERE {_beyond(sort, after, parameters)}"
    if source.late:
        return f"SELECT id, key FROM ({found} {order} OFFSET 0) AS o WHERE {source.has_words('o.id')} {limit}"
    return f"{found} {order} {limit}"


def _indexed(found: Source, sort: Sort, limit: str, after: TicketPosition | None, parameters: Parameters) -> str:
    """In the order of an index, for as far as the page goes."""
    source = f"{found.sql} AND {found.has_words('t.id')}" if found.late else found.sql
    if sort in (Sort.CREATED, Sort.NEWEST):
        # ids rise with the instant of creation
        down, passed = ("DESC", "<") if sort is Sort.NEWEST else ("", ">")
        beyond = "" if after is None else f"AND t.id {passed} {parameters.add(after.id, 'text')}"
        return f"SELECT t.id, t.created_at AS key {source} {beyond} ORDER BY t.id {down} {limit}"
    down = "DESC" if sort is Sort.LATEST else ""
    # the index knows the minute; the database sorts within each
    order = f"ORDER BY t.updated_minute {down}, t.updated_at {down}, t.id {down}"
    if after is None:
        return f"SELECT t.id, t.updated_at AS key {source} {order} {limit}"
    return _by_update(source, sort, f"{order} {limit}", after, parameters)


def _by_update(source: str, sort: Sort, ending: str, after: TicketPosition, parameters: Parameters) -> str:
    """What has been quiet since the walk began in the order of the index, and what has not, where it stood."""
    assert after.key is not None
    near, passed = ("<=", "<") if sort is Sort.LATEST else (">=", ">")
    quiet = after.as_of - LONGEST_TRANSACTION
    minute = parameters.add(_minute(after.key), "timestamp")
    since = parameters.add(quiet, "timestamptz")
    place = f"({parameters.add(after.key, 'timestamptz')}, {parameters.add(after.id, 'text')})"
    still = f"""SELECT t.id, t.updated_at AS key {source} AND t.updated_minute {near} {minute}
        AND t.updated_at <= {since} AND (t.updated_at, t.id) {passed} {place} {ending}"""
    moved = f"""SELECT t.id, {_key_then(sort, after, parameters)} AS key {source}
        AND t.updated_minute >= {parameters.add(_minute(quiet), "timestamp")} AND t.updated_at > {since}"""
    beyond = f"SELECT id, key FROM ({moved}) AS k WHERE {_beyond(sort, after, parameters)}"
    limit = ending[ending.rindex("LIMIT") :]
    both = f"({still}) UNION ALL ({beyond} ORDER BY {_order(sort, 'key', 'id')} {limit})"
    return f"SELECT id, key FROM ({both}) AS u ORDER BY {_order(sort, 'key', 'id')} {limit}"


def _key_then(sort: Sort, after: TicketPosition | None, parameters: Parameters) -> str:
    """The key of a ticket when the walk began."""
    now, then = KEYS[sort]
    if then is None or after is None:
        return now
    snapshot = f"{parameters.add(after.snapshot, 'text')}::pg_snapshot"
    unchanged = UNCHANGED.format(snapshot=snapshot)
    return f"CASE WHEN {unchanged} THEN {now} ELSE {then.format(snapshot=snapshot)} END"


def _beyond(sort: Sort, after: TicketPosition, parameters: Parameters) -> str:
    """Whether (key, id) comes after a position. Only deadlines may be unset: those come last."""
    id = parameters.add(after.id, "text")
    if after.key is None:
        return f"key IS NULL AND id > {id}"
    passed = "<" if sort.startswith("-") else ">"
    later = f"(key, id) {passed} ({parameters.add(after.key, 'timestamptz')}, {id})"
    return f"({later} OR key IS NULL)" if sort is Sort.DEADLINE else later


def _order(sort: Sort, key: str, id: str) -> str:
    return f"{key} DESC, {id} DESC" if sort.startswith("-") else f"{key} ASC NULLS LAST, {id}"


def _minute(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(second=0, microsecond=0, tzinfo=None)
