"""Rows of the router's tables as the objects that decisions are made with, and back."""

from datetime import timedelta
from functools import lru_cache
from typing import Any

import asyncpg
from pydantic_core import from_json, to_json

from libs.contracts.routing import Presence
from services.router.assignment.floor import Agent, Queue
from services.router.assignment.ticket import Requirements, Reservation, Ticket, Wish

AGENT = "key, name, email, role, skills, queues, capacity, active, presence, paused, load"
QUEUE = "key, name, lead, schedule, strategy, overflow, wait_limit, active"
TICKET = (
    "t.id, t.epoch, t.assignee, t.queue, t.priority, t.active, t.counts, t.gone, t.started, t.deadline, t.queued_at,"
    " t.waiting, t.deferred, t.needs, t.requirements, t.reserved, t.reserved_epoch, t.reserved_agent, t.reserved_queue"
)


def agent_of(row: asyncpg.Record) -> Agent:
    """A row of `agents`."""
    values = dict(row)
    values["skills"], values["queues"] = frozenset(row["skills"]), frozenset(row["queues"])
    values["presence"] = Presence(row["presence"])
    return Agent(**values)


def queue_of(row: asyncpg.Record) -> Queue:
    """A row of `queues`."""
    return Queue(**dict(row))


def ticket_of(row: asyncpg.Record) -> Ticket:
    """A row of `tickets`: the columns of TICKET are in the order of Ticket's fields."""
    (*before, needs, requirements, reserved, epoch, agent, queue) = row
    reservation = None if reserved is None else Reservation(reserved, epoch, agent, queue)
    values: list[Any] = [*before, frozenset(needs), _requirements(requirements), reservation]
    return Ticket(*values)


def ticket_values(ticket: Ticket) -> tuple[Any, ...]:
    """A ticket as the columns of the statement that stores it; started and deadline are stored apart."""
    reserved = ticket.reservation
    return (
        ticket.id,
        ticket.epoch,
        ticket.assignee,
        ticket.queue,
        ticket.priority,
        ticket.active,
        ticket.counts,
        ticket.gone,
        ticket.queued_at,
        ticket.waiting,
        ticket.deferred,
        ",".join(sorted(ticket.needs)) if ticket.needs else "",
        _stored(ticket.requirements),
        reserved and reserved.decision,
        reserved and reserved.epoch,
        reserved and reserved.agent,
        reserved and reserved.queue,
    )


_NOTHING = Requirements()


@lru_cache(maxsize=4096)
def _stored(requirements: Requirements) -> str | None:
    if requirements == _NOTHING:
        return None
    content = {
        "required": requirements.required,
        "wishes": [[wish.skills, wish.drop_after.total_seconds()] for wish in requirements.wishes],
        "pinned": requirements.pinned,
        "strategy": requirements.strategy,
    }
    return to_json({key: value for key, value in content.items() if value}).decode()


@lru_cache(maxsize=4096)
def _requirements(stored: str | None) -> Requirements:
    if stored is None:
        return _NOTHING
    content = from_json(stored)
    return Requirements(
        required=tuple(content.get("required", ())),
        wishes=tuple(Wish(tuple(skills), timedelta(seconds=seconds)) for skills, seconds in content.get("wishes", ())),
        pinned=content.get("pinned"),
        strategy=content.get("strategy"),
    )
