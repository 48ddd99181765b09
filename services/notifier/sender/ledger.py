"""What is being sent, in PostgreSQL: every change of state is compare-and-set, the attempt's number included."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime

import asyncpg

from libs.chassis.resources import Resources
from libs.chassis.simulation import Work
from libs.chassis.transaction import Transaction
from libs.contracts.notice import NoticeKind
from services.notifier.domain.notice import State, said
from services.notifier.domain.outcome import AUTOMATIC_LASTS, SENDING_LASTS, Settlement, recovered, too_late
from services.notifier.mail_file import MailFile, RetryRules
from services.notifier.sender.letter import Claimed

COLUMNS = tuple(field.name for field in fields(Claimed) if field.name != "addressed")
# the address of who was erased since is none any more
ADDRESSED = f"""
CASE WHEN n.shared THEN (
    SELECT coalesce(min(o.recipient) FILTER (WHERE o.kind = '{NoticeKind.REPLY}'), '') || coalesce(
        ' ' || string_agg(o.recipient, ' ' ORDER BY o.recipient) FILTER (WHERE o.kind = '{NoticeKind.COPY}'), '')
    FROM notices o
    WHERE o.cause = n.cause AND o.kind IN ('{NoticeKind.REPLY}', '{NoticeKind.COPY}') AND o.recipient NOT LIKE '% %'
) END AS addressed
"""
CLAIM = f"""
UPDATE notices n SET state = 'sending', attempts = n.attempts + 1, sending_since = clock_timestamp(), next_try = NULL
FROM (SELECT ticket, id FROM notices WHERE state = 'queued' AND next_try <= $1 ORDER BY next_try LIMIT 1
      FOR UPDATE SKIP LOCKED) AS due
WHERE n.ticket = due.ticket AND n.id = due.id
RETURNING {", ".join(f"n.{name}" for name in COLUMNS)}, {ADDRESSED}
"""
SETTLE = """
UPDATE notices SET state = $5, verdict = $6, reason = coalesce($7, reason), next_try = $8, settled_at = $10,
                   message_id = coalesce($9, message_id), sending_since = NULL
WHERE ticket = $1 AND id = $2 AND state = $3 AND attempts = $4
"""
STALE = f"""
SELECT {", ".join(COLUMNS)} FROM notices
WHERE state = 'sending' AND sending_since < clock_timestamp() - $1::interval ORDER BY sending_since LIMIT 200
"""
EXPIRED = f"""
SELECT {", ".join(COLUMNS)} FROM notices
WHERE state = 'queued' AND (fact_at < $2 OR (automatic AND fact_at < $1)) LIMIT 200
"""
IS_DUE = "SELECT EXISTS (SELECT FROM notices WHERE state = 'queued' AND next_try <= $1)"
LEFT = """
SELECT (SELECT count(*) FROM notices WHERE state = 'sending') AS sending,
       (SELECT count(*) FROM notices WHERE state = 'queued') AS queued,
       (SELECT min(next_try) FROM notices WHERE state = 'queued') AS next_try
"""


@dataclass(frozen=True, slots=True)
class Done:
    """An attempt and what becomes of its notice."""

    notice: Claimed
    settlement: Settlement
    message_id: str | None = None


Settled = Callable[[Claimed, Settlement], None]


class Ledger:
    """`settled` is told of every notice that came to rest or is tried again."""

    def __init__(self, resources: Resources, settled: Settled) -> None:
        self._resources, self._settled = resources, settled

    @property
    def mail(self) -> MailFile:
        """The rules in force."""
        mail: MailFile = self._resources.configuration.current.parsed.mail
        return mail

    @property
    def retry(self) -> RetryRules:
        return self.mail.retry

    @property
    def now(self) -> datetime:
        """Domain time."""
        return self._resources.clock.now()

    async def is_due(self) -> bool:
        """Whether something waits to be sent now."""
        async with self._resources.database.connection() as connection:
            found: bool = await connection.fetchval(IS_DUE, self.now)
        return found

    async def turn(self, done: Done | None, *, claim: bool) -> Claimed | None:
        """Write down what became of the last one and take the next: one commit, before DATA (decisions 20)."""
        async with self._resources.transactions.begin() as transaction:
            if done is not None:
                await self._settle(done, State.SENDING, transaction)
            row = await transaction.connection.fetchrow(CLAIM, transaction.now) if claim else None
        return None if row is None else _claimed(row)

    async def recover(self) -> int:
        """Take over what nobody finished for 60 s, whoever began it; how many."""
        async with self._resources.transactions.begin() as transaction:
            stale = [_claimed(row) for row in await transaction.connection.fetch(STALE, SENDING_LASTS)]
            for notice in stale:
                settlement = recovered(
                    automatic=notice.automatic,
                    attempts=notice.attempts,
                    fact_at=notice.fact_at,
                    now=transaction.now,
                    retry=self.retry,
                )
                await self._settle(Done(notice, settlement), State.SENDING, transaction)
        return len(stale)

    async def expire(self) -> int:
        """Give up what waited too long; how many."""
        async with self._resources.transactions.begin() as transaction:
            now = transaction.now
            rows = await transaction.connection.fetch(EXPIRED, now - AUTOMATIC_LASTS, now - self.retry.give_up)
            late = [_claimed(row) for row in rows]
            for notice in late:
                settlement = too_late(notice.automatic, notice.fact_at, now, self.retry)
                if settlement is not None:
                    await self._settle(Done(notice, settlement), State.QUEUED, transaction)
        return len(late)

    async def left(self, now: datetime) -> Work:
        """What there is to send at this instant, and when there is more."""
        _, sending, next_try = await self.waiting()
        is_due = next_try is not None and next_try <= now
        return Work(busy=bool(sending) or is_due, next_due=next_try)

    async def waiting(self) -> tuple[int, int, datetime | None]:
        """How many are queued and how many in sending, and the next instant to try."""
        async with self._resources.database.connection() as connection:
            row = await connection.fetchrow(LEFT)
        assert row is not None
        return row["queued"], row["sending"], row["next_try"]

    async def _settle(self, done: Done, expected: State, transaction: Transaction) -> None:
        notice, settlement = done.notice, done.settlement
        ends = None if settlement.state is State.QUEUED else transaction.now
        changed = await transaction.connection.execute(
            SETTLE,
            notice.ticket,
            notice.id,
            expected.value,
            notice.attempts,
            settlement.state.value,
            settlement.verdict,
            settlement.reason,
            settlement.next_try,
            done.message_id,
            ends,
        )
        if changed != "UPDATE 1":
            return  # somebody took it for abandoned meanwhile
        self._settled(notice, settlement)
        event = said(
            notice.id,
            notice.kind,
            settlement.state,
            settlement.verdict,
            settlement.reason,
            done.message_id or notice.message_id,
            notice.source_message,
        )
        if event is not None:
            transaction.say(event, notice.ticket, cause=notice.cause, trace=notice.trace)


def _claimed(row: asyncpg.Record) -> Claimed:
    values = dict(row)
    return Claimed(**{**values, "kind": NoticeKind(values["kind"])})
