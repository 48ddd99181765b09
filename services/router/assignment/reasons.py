"""Reason codes: why a plan ended as it did, and why a candidate was not chosen (behaviour R-1). They are a promise."""

from enum import StrEnum


class Reason(StrEnum):
    """How a plan ended; travels in `routed.reason`."""

    ASSIGNED = "assigned"
    KEPT = "kept"
    NO_AGENT_AVAILABLE = "no_agent_available"
    AFTER_HOURS = "after_hours"
    NO_HOLDER = "no_holder"
    UNKNOWN_QUEUE = "unknown_queue"
    NOT_WORKED_ON = "not_worked_on"


class Obstacle(StrEnum):
    """Why a candidate was not chosen, in the order in which it is asked. `LATER_TURN`, `BUSIER`: could have been."""

    INACTIVE = "inactive"
    NOT_IN_QUEUE = "not_in_queue"
    SKILL_MISSING = "skill_missing"
    OFFLINE = "offline"
    AWAY = "away"
    PAUSED_BY_LEAD = "paused_by_lead"
    AT_CAPACITY = "at_capacity"
    NOT_PINNED = "not_pinned"
    BUSIER = "busier"
    LATER_TURN = "later_turn"


WORDS: dict[str, str] = {
    Reason.ASSIGNED: "an agent was free",
    Reason.KEPT: "the ticket stays with its assignee",
    Reason.NO_AGENT_AVAILABLE: "nobody who may take it is free: it waits in its queue",
    Reason.AFTER_HOURS: "the queue is closed: it waits for the opening",
    Reason.NO_HOLDER: "nobody in the queue has the required skills: it went to the fallback queue",
    Reason.UNKNOWN_QUEUE: "the queue does not exist or is closed for good: it went to the fallback queue",
    Reason.NOT_WORKED_ON: "the ticket is not worked on, so it needs no owner",
    Obstacle.INACTIVE: "has left the team",
    Obstacle.NOT_IN_QUEUE: "does not work this queue",
    Obstacle.SKILL_MISSING: "lacks a skill that is needed",
    Obstacle.OFFLINE: "is offline",
    Obstacle.AWAY: "is away",
    Obstacle.PAUSED_BY_LEAD: "was paused by a lead",
    Obstacle.AT_CAPACITY: "has as many tickets as allowed",
    Obstacle.NOT_PINNED: "a rule named another agent",
    Obstacle.BUSIER: "has more open tickets than the one chosen",
    Obstacle.LATER_TURN: "has had more turns, or comes later in the order",
}
"""Every code for people."""
