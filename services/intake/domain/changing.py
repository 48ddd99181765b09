"""How fields of a ticket change: by a person, by routing, by the customer's words, by time."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from libs.contracts.routing import TicketRouted
from libs.contracts.ticket import Change, TicketChanged
from libs.contracts.ticket_state import Scalar, StatusCategory
from services.intake.domain.altered import altered
from services.intake.domain.decision import TIMER, By, Decision, Refused, Say
from services.intake.domain.message import Customer
from services.intake.domain.status import WORKED_ON, Status, Statuses
from services.intake.domain.ticket import Ticket

EPOCH_FIELDS = frozenset({"assignee", "queue", "status_category"})
"""What routing depends on: a change of any of them makes decisions under way stale (decisions 8)."""

EDITABLE_WHEN_CLOSED = frozenset({"subject", "tags"})
NOT_A_CHOICE = frozenset({"status", "status_category", "subject", "tags"})
"""Fields that a person changes without taking them out of routing's hands: routing never sets them, or adds only."""


def change(ticket: Ticket, wanted: Mapping[str, Any], statuses: Statuses, now: datetime, by: By) -> Decision:
    """Set fields, None unsets. `custom` is merged key by key. Says nothing where nothing differs.

    Refused for a transition that is not allowed (behaviour S-7) and for a closed ticket but its subject and tags
    (S-6); UnknownStatus. Whoever resolves a ticket without an assignee becomes it (S-5).
    """
    if ticket.is_closed and not wanted.keys() <= EDITABLE_WHEN_CLOSED:
        raise Refused("a closed ticket is not changed any more; only its subject and tags are", [])
    fields = dict(wanted)
    if "status" in fields:
        fields |= _status_fields(ticket, statuses[fields["status"]], statuses, by, fields)
    if "tags" in fields:
        fields["tags"] = tuple(sorted(set(fields["tags"])))
    if "custom" in fields:
        fields["custom"] = merged(ticket.custom, fields["custom"])
    return _apply(ticket, fields, statuses, now, by)


def apply_routing(ticket: Ticket, routed: TicketRouted, statuses: Statuses, now: datetime, by: By) -> Decision:
    """Apply a routing decision; always says `changed`, with the decision as its cause (decisions 8b).

    Fields are applied unless a person set them; queue and assignee only if nothing routing depends on has happened
    since the decision was made.
    """
    fields: dict[str, Any] = {} if ticket.is_closed else _routed_fields(ticket, routed)
    if routed.epoch == ticket.epoch:
        fields["routed"] = True
        if routed.queue is not None and "queue" not in ticket.set_by_person:
            fields["queue"] = routed.queue
        if routed.assignee is not None or routed.release:
            fields["assignee"] = routed.assignee
    because = By(by.actor, by.agent, by.person, routed.decision_id, by.trace)
    return _apply(ticket, fields, statuses, now, because, always=True)


def reopen(ticket: Ticket, statuses: Statuses, now: datetime, by: By) -> Decision:
    """A customer wrote: a ticket that waited is open again (behaviour S-2)."""
    status = statuses.default(StatusCategory.OPEN)
    return _apply(ticket, {"status": status.key, "status_category": status.category}, statuses, now, by)


def auto_close(ticket: Ticket, statuses: Statuses, now: datetime) -> Decision:
    """Close a resolved ticket whose time has come; anything that happened since keeps it (behaviour K-1, K-2).

    It closed at the instant that was set, whenever it is looked at.
    """
    if ticket.status_category is not StatusCategory.RESOLVED or ticket.close_at is None or ticket.close_at > now:
        return Decision(ticket)
    present = statuses.present(ticket.status, ticket.status_category)
    closed = statuses.default(StatusCategory.CLOSED)
    status = closed if present.automatic is None else statuses[present.automatic.to]
    return move(ticket, status, statuses, max(ticket.close_at, ticket.updated_at), TIMER)


def identify(ticket: Ticket, customer: Customer, statuses: Statuses, now: datetime, by: By) -> Decision:
    """The requester is known now (behaviour C-5). Facts say tier and organisation; who it is stays in the tables."""
    known = altered(ticket, customer_id=customer.id)
    told = {"tier": customer.tier, "organisation": customer.organisation}
    return _apply(known, {name: value for name, value in told.items() if value is not None}, statuses, now, by)


def closing_time(status: Status, now: datetime) -> datetime | None:
    """When a ticket that is active now closes by itself in this status."""
    return None if status.automatic is None else status.automatic.after.added_to(now)


def move(ticket: Ticket, status: Status, statuses: Statuses, now: datetime, by: By) -> Decision:
    """To a status that its old one leads to by itself, or that took the place of its old one."""
    return _apply(ticket, {"status": status.key, "status_category": status.category}, statuses, now, by)


def _status_fields(
    ticket: Ticket, status: Status, statuses: Statuses, by: By, wanted: Mapping[str, Any]
) -> dict[str, Any]:
    present = statuses.present(ticket.status, ticket.status_category)
    allowed = statuses.allowed(present)
    # of a ticket whose status was taken out, also the one that it counts as (behaviour S-8)
    if status.key not in (ticket.status, present.key) and status.key not in allowed:
        raise Refused(f"status: a ticket that is {ticket.status} cannot become {status.key}", allowed)
    fields: dict[str, Any] = {"status": status.key, "status_category": status.category}
    assignee = wanted.get("assignee", ticket.assignee)
    if status.category is StatusCategory.RESOLVED and status.key != ticket.status and not assignee and by.agent:
        fields["assignee"] = by.agent
    return fields


def _routed_fields(ticket: Ticket, routed: TicketRouted) -> dict[str, Any]:
    given, kept = routed.fields, ticket.set_by_person
    fields: dict[str, Any] = {}
    if given.category is not None and "category" not in kept:
        fields["category"] = given.category
    if given.priority is not None and "priority" not in kept:
        fields["priority"] = given.priority
    if given.add_tags:
        fields["tags"] = tuple(sorted({*ticket.tags, *given.add_tags}))
    custom = {key: value for key, value in given.custom.items() if f"custom.{key}" not in kept}
    if custom:
        fields["custom"] = {**ticket.custom, **custom}
    return fields


def merged(present: Mapping[str, Scalar], wanted: Mapping[str, Scalar | None]) -> dict[str, Scalar]:
    """Custom fields with others over them, key by key; None takes one away."""
    return {key: value for key, value in {**present, **wanted}.items() if value is not None}


def _apply(
    ticket: Ticket, wanted: Mapping[str, Any], statuses: Statuses, now: datetime, by: By, *, always: bool = False
) -> Decision:
    """The ticket with new values, and the fact that says so; `always` even if nothing differs."""
    present = ticket.__dict__
    fields = {name: value for name, value in wanted.items() if present[name] != value}
    if not fields and not always:
        return Decision(ticket)
    reopened = "status_category" in fields and _is_reopened(ticket, fields["status_category"])
    changes = _changes(ticket, fields)
    if "status" in fields:
        status = statuses[fields["status"]]
        is_resolved = status.category is StatusCategory.RESOLVED
        fields["close_at"] = closing_time(status, now) if is_resolved else None
        fields["waiting_since"] = now if status.steps else None
        fields["reminders"] = None
        if "status_category" in fields and status.category is not StatusCategory.CLOSED:
            fields["resolved_at"] = now if is_resolved else None
            if is_resolved:
                fields["resolved_owner"] = fields.get("assignee", ticket.assignee)
    if by.person:
        fields["set_by_person"] = _chosen(ticket.set_by_person, changes)
    changed = altered(
        ticket,
        **fields,
        version=ticket.version + 1,
        epoch=ticket.epoch + (not EPOCH_FIELDS.isdisjoint(fields)),
        updated_at=now,
    )
    fact = TicketChanged(changes=changes, reopened=reopened, by_person=by.person)
    return Decision(changed, (Say(fact, changed, by),))


def _is_reopened(ticket: Ticket, category: StatusCategory) -> bool:
    return ticket.status_category not in WORKED_ON and category in WORKED_ON


def _changes(ticket: Ticket, fields: Mapping[str, Any]) -> dict[str, Change]:
    """By field of the condition grammar; the values of a subject stay where they are, for they are personal."""
    changes: dict[str, Change] = {}
    for name, value in fields.items():
        if name == "custom":
            changes |= _custom_changes(ticket.custom, value)
        elif name == "subject":
            changes[name] = Change()
        else:
            changes[name] = Change(old=getattr(ticket, name), new=value)
    return changes


def _custom_changes(old: Mapping[str, Scalar], new: Mapping[str, Scalar]) -> dict[str, Change]:
    return {
        f"custom.{key}": Change(old=old.get(key), new=new.get(key))
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    }


def _chosen(before: frozenset[str], changes: Mapping[str, Change]) -> frozenset[str]:
    """The fields a person set; one that a person unset is routing's again."""
    names = changes.keys() - NOT_A_CHOICE
    return before.difference(names) | {name for name in names if changes[name].new is not None}
