"""What the rules say about one ticket, in the terms of assignment."""

from collections.abc import Mapping

from libs.conditions.reading import Context
from libs.contracts.ticket_state import TicketState
from services.router.assignment.floor import Floor
from services.router.assignment.hours import Hours
from services.router.assignment.ruling import Ruling
from services.router.configuration import RouterConfiguration
from services.router.decision import Decision

QUEUE = "queue"


def ask_rules(
    configuration: RouterConfiguration,
    floor: Floor,
    hours: Hours,
    state: TicketState,
    *,
    texts: Mapping[str, str],
    kept: frozenset[str],
) -> Ruling:
    """Ask the rules; `kept` names the fields that are decided already, `queue` among them.

    Whether it is business hours is a question to the queue's own schedule (behaviour T-1), and the queue is what the
    rules are asked for: if the answer's queue keeps other hours than was supposed, they are asked once more.
    """
    facts: dict[str, object] = {**state.__dict__, **texts}
    supposed = state.queue if QUEUE in kept else configuration.rules.fallback.queue
    in_hours = _in_hours(floor, hours, supposed)
    decision = _decide(configuration, floor, hours, facts, kept, supposed, in_hours)
    queue = _queue_of(decision, state)
    if _in_hours(floor, hours, queue) != in_hours:
        in_hours = not in_hours
        decision = _decide(configuration, floor, hours, facts, kept, queue, in_hours)
        queue = _queue_of(decision, state)
    return configuration.rulings.of(decision, queue, in_hours)


def _decide(
    configuration: RouterConfiguration,
    floor: Floor,
    hours: Hours,
    facts: Mapping[str, object],
    kept: frozenset[str],
    queue: str | None,
    in_hours: bool,
) -> Decision:
    zone = hours.zone(floor.queues.get(queue or ""))
    context = Context(now=hours.now, business_hours=in_hours, zone=zone)
    return configuration.engine.decide(facts, context, kept)


def _in_hours(floor: Floor, hours: Hours, queue: str | None) -> bool:
    found = floor.queues.get(queue or "")
    return found is None or hours.is_open(found)


def _queue_of(decision: Decision, state: TicketState) -> str:
    """The rules' queue; a rule set or the fallback names one wherever a person has not."""
    return str(decision.set.get(QUEUE) or state.queue)
