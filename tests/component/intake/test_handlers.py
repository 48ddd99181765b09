"""What intake makes of the facts it hears (decisions 8, 23, behaviour V-4)."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

from libs.contracts.conversation import ConversationMessageAdded, HandedOff, Role
from libs.contracts.notice import NoticeFailed, NoticeKind, NoticeSent
from libs.contracts.routing import RoutedFields, TicketRouted
from libs.contracts.sla import Metric, Target, TargetsSet, TargetState
from libs.contracts.ticket import TicketChanged
from services.intake.handlers import handle
from tests.component.intake.conftest import Intake
from tests.component.intake.talk import fact, hear, tell


async def opened(intake: Intake, name: str) -> str:
    intake.wait(seconds=1)
    intake.outgoing.clear()
    await tell(
        intake,
        ConversationMessageAdded(conversation_id=name, seq=1, role=Role.CUSTOMER, text="hi"),
        HandedOff(conversation_id=name),
    )
    (said,) = intake.said()
    return said.subject


async def row(intake: Intake, ticket: str) -> dict[str, Any]:
    (found,) = await intake.fetch("SELECT * FROM tickets WHERE id = $1", ticket)
    return found


def routed(decision: str, epoch: int, **fields: Any) -> TicketRouted:
    return TicketRouted(decision_id=decision, epoch=epoch, **fields)


async def test_decisions_8_each_decision_is_answered_in_order_and_a_stale_one_assigns_nobody(intake: Intake) -> None:
    ticket = await opened(intake, "routed")
    first = routed("d1", 0, queue="billing", assignee="mira", fields=RoutedFields(category="billing"))
    stale = routed("d2", 0, assignee="tom", fields=RoutedFields(add_tags=("late",)))
    await hear(intake, [fact(first, ticket, 1, intake), fact(stale, ticket, 2, intake)])
    one, two = intake.said()
    assert (one.cause, two.cause, one.actor) == ("d1", "d2", "service:router")
    assert isinstance(two.data, TicketChanged)
    assert set(two.data.changes) == {"tags"}
    assert (two.ticket.assignee, two.ticket.queue, two.ticket.epoch, two.ticket.routed) == ("mira", "billing", 1, True)
    assert (await row(intake, ticket))["version"] == 3


async def test_decisions_23_the_next_deadline_is_a_projection_without_a_version(intake: Intake) -> None:
    ticket = await opened(intake, "deadline")
    soon, late = (intake.clock.now() + timedelta(hours=hours) for hours in (1, 8))
    targets = (
        Target(metric=Metric.RESOLUTION, instance=1, state=TargetState.RUNNING, deadline=late),
        Target(metric=Metric.FIRST_RESPONSE, instance=1, state=TargetState.RUNNING, deadline=soon),
        Target(metric=Metric.NEXT_RESPONSE, instance=1, state=TargetState.PAUSED),
    )
    await hear(intake, [fact(TargetsSet(targets=targets, final=False), ticket, 1, intake)])
    assert (await row(intake, ticket))["next_deadline"] == soon
    met = tuple(target.model_copy(update={"state": TargetState.MET}) for target in targets)
    await hear(intake, [fact(TargetsSet(targets=met, final=True), ticket, 2, intake)])
    found = await row(intake, ticket)
    assert (found["next_deadline"], found["version"]) == (None, 1)
    assert intake.said() == []


async def test_what_others_said_about_a_ticket_is_in_its_timeline(intake: Intake) -> None:
    ticket = await opened(intake, "timeline")
    sent = NoticeSent(notice_id="n1", kind=NoticeKind.ACKNOWLEDGMENT)
    await hear(
        intake,
        [fact(routed("d1", 0), ticket, 1, intake), fact(sent, ticket, 1, intake), fact(sent, "other", 1, intake)],
    )
    rows = await intake.fetch(
        "SELECT speaker, n, type, data->>'kind' AS kind FROM timeline WHERE ticket_id = $1", ticket
    )
    assert sorted((each["speaker"], each["kind"]) for each in rows) == [
        ("notifier", "acknowledgment"),
        ("router", None),
    ]


async def test_whether_an_answer_left_is_kept_with_it(intake: Intake) -> None:
    ticket = await opened(intake, "delivery")
    (message,) = await intake.fetch("SELECT id FROM messages WHERE ticket_id = $1", ticket)
    sent = NoticeSent(notice_id="n1", kind=NoticeKind.REPLY, source_message=message["id"])
    failed = NoticeFailed(
        notice_id="n1",
        kind=NoticeKind.REPLY,
        state="refused",
        reason="550",
        permanent=True,
        source_message=message["id"],
    )
    for n, (event, state) in enumerate([(sent, "sent"), (failed, "refused")], 1):
        await hear(intake, [fact(event, ticket, n, intake)])
        assert await intake.fetch("SELECT delivery FROM messages WHERE id = $1", message["id"]) == [{"delivery": state}]


async def test_batches_that_touch_the_same_tickets_in_any_order_do_not_lock_each_other_out(intake: Intake) -> None:
    tickets = [await opened(intake, f"lock-{n}") for n in range(20)]
    intake.said()

    async def targets(n: int, order: list[str]) -> None:
        await hear(intake, [fact(TargetsSet(targets=(), final=True), each, n, intake) for each in order])

    async def decisions(n: int, order: list[str]) -> None:
        await hear(intake, [fact(routed(f"d{n}", 0), each, n, intake) for each in order])

    turns = [tickets, tickets[::-1], tickets[7:] + tickets[:7]]
    await asyncio.gather(
        *(targets(n, turns[n % 3]) for n in range(6)), *(decisions(n, turns[(n + 1) % 3]) for n in range(6))
    )
    versions = {(await row(intake, each))["version"] for each in tickets}
    assert versions == {7}


WRITTEN = """
SELECT pg_stat_get_xact_tuples_updated(oid) AS updated, pg_stat_get_xact_tuples_hot_updated(oid) AS hot
FROM pg_class WHERE oid = 'tickets'::regclass
"""


class Back(Exception):
    """The transaction shall not commit."""


async def test_what_routing_and_clocks_change_touches_no_index(intake: Intake) -> None:
    """decisions 23: else every index of the table would be written anew for each ticket."""
    ticket = await opened(intake, "hot")
    fields = RoutedFields(category="billing", priority="high", add_tags=("late",))
    decision = routed("d-hot", 0, queue="billing", assignee="mira", fields=fields)
    target = Target(metric=Metric.RESOLUTION, instance=1, state=TargetState.RUNNING, deadline=intake.clock.now())
    heard = [fact(decision, ticket, 1, intake), fact(TargetsSet(targets=(target,), final=True), ticket, 1, intake)]
    with suppress(Back):
        async with intake.transactions.begin() as transaction:
            (before,) = await transaction.connection.fetch(WRITTEN)
            await handle(heard, transaction)
            await transaction.flush()
            (after,) = await transaction.connection.fetch(WRITTEN)
            raise Back
    assert (after["updated"] - before["updated"], after["hot"] - before["hot"]) == (2, 2)
