"""Facts of other services: each applied once, in order of its number, with any number of replicas (decisions 2).

`heard` holds the last number applied for each (speaker, subject). A run of facts claims its row in one statement,
which inserts, locks and compares at once; rows are touched in sorted order, so that holders never deadlock, and a
zombie that wakes up claims nothing. What does not follow directly is looked at row by row under the same locks:
a repetition is ignored, a fact after a gap is held until the gap closes, one behind a parked fact is parked.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence

from libs.chassis.parking import Parked, blocked, park, park_followers
from libs.chassis.transaction import Transaction
from libs.chassis.wire import Frame
from libs.contracts.event import Event
from libs.contracts.fact import Fact, read_fact

FACTS = "FACTS"
"""The stream that facts come by."""

DOOR = "facts"

Key = tuple[str, str]
Handle = Callable[[Sequence[Fact[Event]], Transaction], Awaitable[None]]

CLAIM = """
INSERT INTO heard AS h (speaker, subject, n, since)
SELECT speaker, subject, n, since
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) AS x(speaker, subject, n, since)
ON CONFLICT (speaker, subject) DO UPDATE SET n = excluded.n, since = excluded.since WHERE h.n = excluded.since - 1
RETURNING speaker, subject, since, xmax = 0 AS fresh
"""
UNCLAIM = """
UPDATE heard SET n = 0, since = 0 FROM unnest($1::text[], $2::text[]) AS x(speaker, subject)
WHERE heard.speaker = x.speaker AND heard.subject = x.subject
"""
LOOK = """
SELECT speaker, subject, n FROM heard JOIN unnest($1::text[], $2::text[]) AS x(speaker, subject)
USING (speaker, subject)
"""
MOVE = """
UPDATE heard SET n = x.n, since = x.since
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) AS x(speaker, subject, n, since)
WHERE heard.speaker = x.speaker AND heard.subject = x.subject
"""
HOLD = """
INSERT INTO held (speaker, subject, n, nats_subject, headers, payload)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bytea[], $6::bytea[])
ON CONFLICT DO NOTHING
"""


class Heard:
    """A fact that arrived, with the bytes it came in."""

    __slots__ = ("fact", "headers", "key", "nats_subject")

    def __init__(self, nats_subject: str, headers: bytes, payload: bytes) -> None:
        """Raises UnreadableFact."""
        self.fact = read_fact(nats_subject, headers, payload)
        self.nats_subject, self.headers = nats_subject, headers
        self.key: Key = (self.fact.speaker.value, self.fact.subject)

    def parked(self, reason: str) -> Parked:
        speaker, subject = self.key
        return Parked(DOOR, speaker, subject, self.fact.n, self.nats_subject, reason, self.headers, self.fact.payload)


class Hearing:
    """Receives facts for one service. `wanted` are the event types its handler understands, by CloudEvents type."""

    door = DOOR

    def __init__(
        self, wanted: Mapping[str, type[Event]], handle: Handle, age: Callable[[str, float], None] = lambda *_: None
    ) -> None:
        """age: told the age in seconds of the first fact of each speaker in a batch, when it was handled."""
        self._wanted, self._handle, self._age = wanted, handle, age
        self.held = asyncio.Event()
        """Set when something was held, so that the gap keeper looks at once."""

    def read(self, frame: Frame) -> Heard:
        """Parse a frame. UnreadableFact (a ValueError) for what is not a fact."""
        return Heard(frame.subject.decode(), frame.headers, frame.payload)

    async def receive(self, messages: Sequence[Heard], transaction: Transaction) -> Counter[tuple[str, str]]:
        """Apply, hold, park or ignore every message. Raises what the handler raises: then nothing has happened."""
        runs = _runs(messages)
        due = await self._claim({key: _first_run(run) for key, run in runs.items()}, transaction)
        early: list[Heard] = []
        facts: list[Fact[Event]] = []
        outcomes: Counter[tuple[str, str]] = Counter()
        for key, run in runs.items():
            following, last = first, _ = due[key]
            for message in run:
                if message.fact.n == following <= last:
                    facts.append(message.fact)
                    following += 1
                elif message.fact.n > last:
                    early.append(message)
                    outcomes[key[0], "held"] += 1
            outcomes[key[0], "applied"] += following - first
        if early:
            await self._keep(early, transaction)
        for fact in facts:
            fact.decode(self._wanted)
        if facts:
            await self._handle(facts, transaction)
            self._tell_age(facts, transaction)
        outcomes["", "ignored"] = len(messages) - outcomes.total()
        return +outcomes

    def _tell_age(self, facts: Sequence[Fact[Event]], transaction: Transaction) -> None:
        """By the first fact of each speaker: a batch is as old as its beginning."""
        first = {fact.speaker: fact for fact in reversed(facts)}
        for speaker, fact in first.items():
            self._age(speaker, max(0.0, (transaction.now - fact.occurred_at).total_seconds()))

    async def park(self, message: Heard, reason: str, transaction: Transaction) -> None:
        """Park a fact that cannot be handled, and what is held behind it."""
        speaker, subject = message.key
        await park(transaction.connection, [message.parked(reason)])
        await park_followers(transaction.connection, DOOR, speaker, subject, message.fact.n)

    async def _claim(self, runs: dict[Key, tuple[int, int]], transaction: Transaction) -> dict[Key, tuple[int, int]]:
        """Move `heard` to the end of each run; the numbers (first, last) to apply by key, last < first for none."""
        connection = transaction.connection
        keys = sorted(runs)
        speakers, subjects = [key[0] for key in keys], [key[1] for key in keys]
        claims = await connection.fetch(
            CLAIM, speakers, subjects, [runs[key][1] for key in keys], [runs[key][0] for key in keys]
        )
        claimed = {(row["speaker"], row["subject"]) for row in claims if row["since"] == 1 or not row["fresh"]}
        if len(claimed) == len(keys):
            return runs
        gaps = [(row["speaker"], row["subject"]) for row in claims if row["since"] > 1 and row["fresh"]]
        if gaps:
            await connection.execute(UNCLAIM, [key[0] for key in gaps], [key[1] for key in gaps])
        rest = [key for key in keys if key not in claimed]
        rows = await connection.fetch(LOOK, [key[0] for key in rest], [key[1] for key in rest])
        return runs | await self._resume(runs, {(r["speaker"], r["subject"]): r["n"] for r in rows}, transaction)

    async def _resume(
        self, runs: dict[Key, tuple[int, int]], heard: dict[Key, int], transaction: Transaction
    ) -> dict[Key, tuple[int, int]]:
        """For runs that do not start at the next number: what of them is still to be applied."""
        due = {}
        for key, n in heard.items():
            first, last = runs[key]
            due[key] = (n + 1, last) if first <= n + 1 else (n + 1, n)
        moved = [key for key, (first, last) in due.items() if last >= first]
        if moved:
            await transaction.connection.execute(
                MOVE,
                [key[0] for key in moved],
                [key[1] for key in moved],
                [due[key][1] for key in moved],
                [due[key][0] for key in moved],
            )
        return {key: (first, max(last, first - 1)) for key, (first, last) in due.items()}

    async def _keep(self, early: list[Heard], transaction: Transaction) -> None:
        """Hold facts that come before their turn, or park them behind a parked one."""
        behind = await blocked(transaction.connection, {message.key for message in early})
        await park(
            transaction.connection,
            [message.parked("follows a parked fact") for message in early if message.key in behind],
        )
        held = [message for message in early if message.key not in behind]
        if held:
            self.held.set()
            await transaction.connection.execute(
                HOLD,
                [message.key[0] for message in held],
                [message.key[1] for message in held],
                [message.fact.n for message in held],
                [message.nats_subject for message in held],
                [message.headers for message in held],
                [message.fact.payload for message in held],
            )


def _runs(messages: Sequence[Heard]) -> dict[Key, list[Heard]]:
    """Messages by key, in order of n."""
    runs: dict[Key, list[Heard]] = {}
    for message in messages:
        runs.setdefault(message.key, []).append(message)
    for run in runs.values():
        if len(run) > 1:
            run.sort(key=lambda message: message.fact.n)
    return runs


def _first_run(run: list[Heard]) -> tuple[int, int]:
    """First and last number of the consecutive start of a sorted run."""
    first = last = run[0].fact.n
    for message in run:
        if message.fact.n > last + 1:
            break
        last = message.fact.n
    return first, last
