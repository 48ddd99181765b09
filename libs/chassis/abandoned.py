"""Sessions of PostgreSQL whose process stopped in the middle of a statement: they keep their row locks for ever.

`idle_in_transaction_session_timeout` ends a session that waits for the next statement. A driver prepares a statement
before it runs it, and the session counts as active in between; no limit of PostgreSQL ends it while its process,
stopped by a debugger or in a frozen container, still holds the connection.
"""

import structlog

from libs.chassis.database import Database

log = structlog.get_logger(__name__)

ABANDONED_SECONDS = 7.5
"""How long a process may leave PostgreSQL waiting within a statement; less than a lease lasts."""

END = """
SELECT pid, pg_terminate_backend(pid) AS ended, extract(epoch FROM clock_timestamp() - state_change)::float AS waited
FROM pg_stat_activity
WHERE usename = current_user AND pid <> pg_backend_pid() AND state = 'active' AND wait_event = 'ClientRead'
  AND xact_start IS NOT NULL AND state_change < clock_timestamp() - make_interval(secs => $1)
"""


async def end_abandoned(database: Database, seconds: float = ABANDONED_SECONDS) -> int:
    """End the service's own sessions, of any replica, that have waited that long; how many. Their transactions are
    rolled back; a process that wakes up again finds its connection closed and begins anew."""
    async with database.connection() as connection:
        rows = await connection.fetch(END, seconds)
    ended = [row for row in rows if row["ended"]]
    for row in ended:
        log.warning("a session of a stopped process was ended", pid=row["pid"], waited_seconds=round(row["waited"], 1))
    return len(ended)
