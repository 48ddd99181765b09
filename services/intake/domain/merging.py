"""One ticket becomes part of another, and leaves it again (behaviour M-1 to M-4).

Messages stay with the ticket they were written to and are shown with those of the target (weaving.py), so that undoing
a merge moves nothing back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from libs.contracts.ticket import MergeSource, TicketAbsorbed, TicketMerged, TicketSeparated, TicketUnmerged
from libs.contracts.ticket_state import MAX_STATE_BYTES, Scalar, StatusCategory
from services.intake.domain.altered import altered
from services.intake.domain.changing import closing_time
from services.intake.domain.decision import By, Decision, Refused, Say
from services.intake.domain.status import Statuses
from services.intake.domain.ticket import Ticket, state_json

BASE64 = 4 / 3
"""A header is so much longer than its JSON."""


@dataclass(frozen=True, slots=True)
class Gained:
    """What a target has of a ticket that is part of it, and of nobody else."""

    tags: frozenset[str] = frozenset()
    custom: Mapping[str, Scalar] = field(default_factory=dict)


def merge(
    source: Ticket, target: Ticket, statuses: Statuses, now: datetime, by: By, parts: Sequence[MergeSource] = ()
) -> tuple[Decision, Decision]:
    """Close the source and lead from it to the target, which takes its tags, counts and those custom fields that it has
    not itself (behaviour M-3). parts: tickets that were merged into the source before.

    Neither may be merged or removed, the target not closed: the caller has looked. Refused where the two together have
    more tags and fields than facts can carry.
    """
    closed = statuses.default(StatusCategory.CLOSED)
    merged = altered(
        source,
        status=closed.key,
        status_category=closed.category,
        merged_into=target.id,
        close_at=None,
        updated_at=now,
        version=source.version + 1,
        epoch=source.epoch + 1,
    )
    absorbing = altered(
        target,
        tags=tuple(sorted({*target.tags, *source.tags})),
        custom={**source.custom, **target.custom},
        customer_messages=target.customer_messages + source.customer_messages,
        human_replies=target.human_replies + source.human_replies,
        updated_at=now,
        version=target.version + 1,
        epoch=target.epoch + 1,
    )
    if len(state_json(absorbing, statuses.present(target.status, target.status_category))) * BASE64 > MAX_STATE_BYTES:
        raise Refused("together they have more tags and custom fields than one ticket can have", [])
    absorbed = TicketAbsorbed(
        sources=(as_part(source), *parts),
        taken=tuple(sorted(source.custom.keys() - target.custom.keys())),
        conflicts=conflicts(source, target),
    )
    return (
        Decision(merged, (Say(TicketMerged(target=target.id), merged, by),)),
        Decision(absorbing, (Say(absorbed, absorbing, by),)),
    )


def unmerge(source: Ticket, was: tuple[str, StatusCategory], statuses: Statuses, now: datetime, by: By) -> Decision:
    """The source is again what it was before the merge; was: its status then (behaviour M-2)."""
    assert source.merged_into is not None
    status = statuses.present(*was)
    alone = altered(
        source,
        status=status.key,
        status_category=status.category,
        merged_into=None,
        close_at=closing_time(status, now) if status.category is StatusCategory.RESOLVED else None,
        updated_at=now,
        version=source.version + 1,
        epoch=source.epoch + 1,
    )
    return Decision(alone, (Say(TicketUnmerged(target=source.merged_into), alone, by),))


def separate(
    target: Ticket, source: Ticket, gained: Gained, now: datetime, by: By, parts: Sequence[MergeSource] = ()
) -> Decision:
    """A ticket leaves the one it was merged into, with its parts and with all that only it had brought."""
    kept = {key: value for key, value in target.custom.items() if gained.custom.get(key, _NOTHING) != value}
    alone = altered(
        target,
        tags=tuple(tag for tag in target.tags if tag not in gained.tags),
        custom=kept,
        customer_messages=max(target.customer_messages - source.customer_messages, 0),
        human_replies=max(target.human_replies - source.human_replies, 0),
        updated_at=now,
        version=target.version + 1,
        epoch=target.epoch + 1,
    )
    return Decision(alone, (Say(TicketSeparated(sources=(as_part(source), *parts)), alone, by),))


def as_part(ticket: Ticket) -> MergeSource:
    """A merged ticket as facts name it."""
    return MergeSource(id=ticket.id, created_at=ticket.origin.created_at)


def conflicts(source: Ticket, target: Ticket) -> tuple[str, ...]:
    """Custom fields in which they differ; the target keeps its own value (behaviour M-3)."""
    both = source.custom.keys() & target.custom.keys()
    return tuple(sorted(key for key in both if source.custom[key] != target.custom[key]))


def same_requester(one: Ticket, other: Ticket) -> bool:
    """Whether both are known to be of one person; of two nobodies only if it is one conversation (behaviour M-3)."""
    if one.customer_id is not None or other.customer_id is not None:
        return one.customer_id == other.customer_id
    link = one.origin.link()
    return link is not None and link == other.origin.link()


_NOTHING = object()
