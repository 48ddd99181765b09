"""What intake keeps of other services' facts: for lists, for the timeline, to know whom work can be given to."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from libs.chassis.transaction import Transaction
from libs.chassis.writes import columns
from libs.contracts.event import Event
from libs.contracts.fact import Fact
from libs.contracts.routing import AgentChanged, QueueChanged

REMEMBER = """
INSERT INTO timeline (ticket_id, speaker, n, type, occurred_at, actor, data)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::timestamptz[], $6::text[], $7::json[])
ON CONFLICT DO NOTHING
"""
DEADLINES = """
UPDATE tickets SET next_deadline = x.deadline FROM unnest($1::text[], $2::timestamptz[]) AS x(id, deadline)
WHERE tickets.id = x.id AND tickets.next_deadline IS DISTINCT FROM x.deadline
"""
DELIVERIES = """
UPDATE messages SET delivery = x.state FROM unnest($1::text[], $2::text[]) AS x(id, state) WHERE messages.id = x.id
"""
AGENTS = """
INSERT INTO agents (key, name, email, queues, active)
SELECT key, name, email, string_to_array(queues, ','), active
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[]) AS x(key, name, email, queues, active)
ON CONFLICT (key) DO UPDATE SET name = excluded.name, email = excluded.email, queues = excluded.queues,
    active = excluded.active
"""
QUEUES = """
INSERT INTO queues (key, name, active)
SELECT key, name, active FROM unnest($1::text[], $2::text[], $3::boolean[]) AS x(key, name, active)
ON CONFLICT (key) DO UPDATE SET name = excluded.name, active = excluded.active
"""


class Projections:
    """The projections of one transaction, written when it ends. Whose rows are changed here must be locked before:
    tickets sorted by id."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def remember(self, facts: Iterable[Fact[Event]]) -> None:
        """Facts about tickets, for their timelines."""
        kept = list(facts)
        if kept:
            self._transaction.write(
                REMEMBER,
                [fact.subject for fact in kept],
                [fact.speaker for fact in kept],
                [fact.n for fact in kept],
                [fact.type for fact in kept],
                [fact.occurred_at for fact in kept],
                [fact.actor for fact in kept],
                [fact.payload.decode() or "{}" for fact in kept],
            )

    def deadlines(self, deadlines: Mapping[str, datetime | None]) -> None:
        """The next deadline by ticket."""
        self._transaction.write(DEADLINES, list(deadlines), list(deadlines.values()))

    def deliveries(self, states: Mapping[str, str]) -> None:
        """What became of messages that were to leave, by message id."""
        if states:
            self._transaction.write(DELIVERIES, list(states), list(states.values()))

    def agents(self, agents: Iterable[AgentChanged]) -> None:
        """Agents as they are now."""
        rows = sorted((a.key, a.name, a.email and a.email.lower(), ",".join(a.queues), a.active) for a in agents)
        self._transaction.write(AGENTS, *columns(rows))

    def queues(self, queues: Iterable[QueueChanged]) -> None:
        """Queues as they are now."""
        rows = sorted((q.key, q.name, q.active) for q in queues)
        self._transaction.write(QUEUES, *columns(rows))
