"""One transaction: what is loaded, decided, stored and said in it becomes true together, or not at all."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from libs.chassis.clock import Clock
from libs.chassis.configuration import Configuration
from libs.chassis.database import Database
from libs.chassis.saying import Outgoing as Outgoing
from libs.chassis.saying import Saying, store
from libs.chassis.writes import Connection as Connection
from libs.chassis.writes import Write, columns, write_together
from libs.contracts.event import Event, Speaker
from libs.contracts.fact import encode_time

ARM = """
INSERT INTO timers (key, kind, due_at)
SELECT key, kind, due_at::timestamptz FROM unnest($1::text[], $2::text[], $3::text[]) AS x(key, kind, due_at)
ON CONFLICT (key, kind) DO UPDATE SET due_at = excluded.due_at
"""
DISARM = """
DELETE FROM timers USING unnest($1::text[], $2::text[]) AS x(key, kind)
WHERE timers.key = x.key AND timers.kind = x.kind
"""


class Transaction:
    """What a handler, a timer, a request or a worker does its work in.

    `now` is domain time, read once. `config` is the configuration in force, the same for the whole transaction.
    """

    def __init__(self, connection: Connection, speaker: Speaker | None, now: datetime, config: Configuration) -> None:
        self.connection, self.now, self.config = connection, now, config
        self._speaker = speaker
        self._said: list[Saying] = []
        self._writes: list[Write] = []
        self._timers: dict[tuple[str, str], datetime | None] = {}

    def say(
        self,
        event: Event,
        subject: str,
        *,
        n: int | None = None,
        occurred_at: datetime | None = None,
        actor: str | None = None,
        cause: str | None = None,
        trace: str | None = None,
        state: bytes | None = None,
    ) -> None:
        """Say a fact about `subject` when this transaction commits.

        n: given by a service that counts itself (intake: the ticket's version); else the next number of (us, subject).
        state: JSON of the ticket's state after the fact, for intake. ValueError for another speaker's event.
        """
        if self._speaker != event.SPEAKER:
            raise ValueError(f"{event.TYPE} belongs to {event.SPEAKER}, {self._speaker} may not say it")
        if self._said and (n is None) is not (self._said[0].n is None):
            raise ValueError("a transaction numbers all of its facts or none")
        moment = occurred_at or self.now
        self._said.append(Saying(event, subject, n, moment, actor, cause, trace, state))

    def arm(self, key: str, kind: str, due_at: datetime) -> None:
        """Set the timer (key, kind), replacing an earlier instant. Lock the row that `key` names first (12)."""
        self._timers[key, kind] = due_at

    def disarm(self, key: str, *kinds: str) -> None:
        """Take timers of `key` away, if they are there."""
        for kind in kinds:
            self._timers[key, kind] = None

    @property
    def next_due(self) -> datetime | None:
        """The earliest instant that a timer was set for here."""
        return min((due for due in self._timers.values() if due is not None), default=None)

    def write(self, statement: str, *arguments: object) -> None:
        """Have a statement run just before the commit, in one round trip with all that waits: what nobody in this
        transaction reads back. One INSERT, UPDATE or DELETE; no two may touch the same row (ADR 8).
        """
        self._writes.append(Write(statement, arguments))

    async def flush(self) -> list[Outgoing]:
        """Write what waits, timers and facts; called by the chassis just before the commit."""
        self._write_timers()
        if not self._said:
            await write_together(self.connection, self._writes)
            return []
        return await store(self.connection, self._writes, self._said, self.config.version)

    def _write_timers(self) -> None:
        armed = sorted((key, kind, encode_time(due)) for (key, kind), due in self._timers.items() if due is not None)
        gone = [name for name, due in self._timers.items() if due is None]
        if gone:
            self.write(DISARM, *columns(gone))
        if armed:
            self.write(ARM, *columns(armed))


class Transactions:
    """Begins transactions of one service and hands what was said to the relay after the commit."""

    def __init__(
        self,
        database: Database,
        speaker: Speaker | None,
        clock: Clock,
        configuration: Callable[[], Configuration],
        committed: Callable[[list[Outgoing]], None],
        elsewhere: Callable[[], bool],
        armed: Callable[[datetime], None] = lambda _: None,
    ) -> None:
        """committed: gets the facts after the commit. elsewhere: whether another process holds the relay.

        armed: told the earliest instant that a timer was set for, after the commit.
        """
        self._database, self._speaker, self._clock = database, speaker, clock
        self._configuration, self._committed, self._elsewhere = configuration, committed, elsewhere
        self._armed = armed

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        """A transaction that commits when the block ends and rolls back when it raises."""
        async with self._database.connection() as connection:
            async with connection.transaction():
                transaction = Transaction(connection, self._speaker, self._clock.now(), self._configuration())
                yield transaction
                outgoing = await transaction.flush()
                if outgoing and self._elsewhere():
                    await connection.execute("SELECT pg_notify($1, '')", f"facts_{self._speaker}")
            if outgoing:
                self._committed(outgoing)
            if transaction.next_due is not None:
                self._armed(transaction.next_due)
