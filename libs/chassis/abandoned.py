"""Sessions of PostgreSQL whose process has stopped: they would keep their row locks for as long as it sleeps.

`idle_in_transaction_session_timeout` ends a session that waits for its next statement. It ends none that waits within
one, and a driver prepares a statement before it runs it; nor one that waits for the lock of another session of the same
process, which has its own time to wait once it has the lock. A process in a frozen container or a debugger has both.
"""

import structlog

from libs.chassis.database import Database

log = structlog.get_logger(__name__)

SILENT_SECONDS = 7.5
"""A process that works begins a statement every 5 s at the latest (observer.py). Less than a lease lasts."""

END = """
SELECT pid, pg_terminate_backend(pid) AS ended, extract(epoch FROM clock_timestamp() - query_start)::float AS silent
FROM pg_stat_activity AS session
WHERE usename = current_user AND xact_start IS NOT NULL
  AND (state LIKE 'idle in transaction%' OR (state = 'active' AND wait_event_type IN ('Client', 'Lock')))
  AND NOT EXISTS (
    SELECT FROM pg_stat_activity AS other
    WHERE other.usename = current_user AND other.application_name = session.application_name
      AND other.query_start > clock_timestamp() - make_interval(secs => $1))
"""


async def end_abandoned(database: Database, seconds: float = SILENT_SECONDS) -> int:
    """End the open transactions of processes of this service, of any replica, that have begun no statement for so long;
    how many. A process that wakes up again finds its connections closed and begins anew; our own has just begun one.
    """
    async with database.connection() as connection:
        rows = await connection.fetch(END, seconds)
    ended = [row for row in rows if row["ended"]]
    for row in ended:
        log.warning("a session of a stopped process was ended", pid=row["pid"], silent_seconds=round(row["silent"], 1))
    return len(ended)
