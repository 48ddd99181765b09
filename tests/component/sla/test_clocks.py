"""Promises on real servers: heard from intake, timed by PostgreSQL, said as facts, explained over HTTP."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from libs.contracts.routing import QueueChanged
from libs.contracts.sla import Metric, Outcome, SlaCorrected, SlaDecided, SlaWarned, TargetsSet, TargetState
from tests.component.sla.conftest import Desk, Ticket, configuration
from tests.support.stack import until


async def test_11_targets_are_said_once_when_the_ticket_is_routed(desk: Desk) -> None:
    ticket = desk.ticket()
    opened_at = await ticket.open(priority="high")
    await ticket.change(routed=True, queue="general")
    (said,) = await until(lambda: desk.said(ticket, TargetsSet))
    assert (said.final, said.policy, said.schedule) == (True, "quick", "always")
    assert [target.deadline for target in said.targets] == [
        opened_at + timedelta(hours=1),
        opened_at + timedelta(hours=8),
    ]


async def test_L11_warning_and_breach_fire_once_each_and_name_the_instant_they_were_due(desk: Desk) -> None:
    ticket = desk.ticket()
    opened_at = await ticket.open(priority="critical", routed=True)
    decided = await until(lambda: _decided(desk, ticket, 2))
    warned = await desk.said(ticket, SlaWarned)
    assert [(event.metric, event.scheduled_for) for event in warned] == [
        (Metric.FIRST_RESPONSE, opened_at + timedelta(seconds=1.6)),
        (Metric.RESOLUTION, opened_at + timedelta(seconds=3.2)),
    ]
    assert [(event.outcome, event.at) for event in decided] == [
        (Outcome.BREACHED, opened_at + timedelta(seconds=2)),
        (Outcome.BREACHED, opened_at + timedelta(seconds=4)),
    ]
    async with desk.sla.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM timers WHERE key = $1", ticket.id) == 0


async def test_W4_an_answer_cancels_the_timer(desk: Desk) -> None:
    ticket = desk.ticket()
    await ticket.open(priority="high", routed=True)
    await ticket.answer()
    (met,) = await until(lambda: desk.said(ticket, SlaDecided))
    assert met.outcome is Outcome.MET
    async with desk.sla.database.connection() as connection:
        due = await connection.fetchval("SELECT due_at FROM timers WHERE key = $1", ticket.id)
    assert due == ticket.fields["created_at"] + timedelta(hours=8) * 0.8


async def test_13_an_answer_that_is_heard_after_the_breach_corrects_it(desk: Desk) -> None:
    ticket = desk.ticket()
    opened_at = await ticket.open(priority="critical", routed=True)
    await until(lambda: desk.said(ticket, SlaDecided))
    await ticket.answer(at=opened_at + timedelta(seconds=1))
    (corrected,) = await until(lambda: desk.said(ticket, SlaCorrected))
    assert (corrected.old, corrected.new, corrected.running_seconds) == (Outcome.BREACHED, Outcome.MET, 1)


async def test_the_segments_of_a_clock_add_up(desk: Desk) -> None:
    ticket = desk.ticket()
    opened_at = await ticket.open(priority="high", routed=True)
    await ticket.change(status="pending")
    await ticket.change(status="open")
    await ticket.change(status="resolved")
    await until(lambda: desk.said(ticket, SlaDecided))
    async with desk.client() as client:
        shown = (await client.get(f"/v1/tickets/{ticket.id}/clocks")).raise_for_status().json()
    resolution = next(clock for clock in shown["clocks"] if clock["metric"] == "resolution")
    assert [(s["state"], s["cause"]) for s in resolution["segments"]] == [
        ("running", "opened"),
        ("paused", "status pending"),
        ("running", "status open"),
    ]
    ran = sum(segment["ran_seconds"] for segment in resolution["segments"])
    (decided,) = await desk.said(ticket, SlaDecided)
    assert ran == pytest.approx(decided.running_seconds, abs=1e-6)
    assert datetime.fromisoformat(resolution["started_at"]) == opened_at
    assert (shown["policy"], shown["configuration"]) == ("quick", 1)


async def test_no_clocks_of_a_ticket_that_is_not_known(desk: Desk) -> None:
    async with desk.client() as client:
        assert (await client.get("/v1/tickets/nobody/clocks")).status_code == 404


async def test_at_risk_lists_what_nears_its_deadline_the_earliest_first(desk: Desk) -> None:
    late, early, calm = desk.ticket(), desk.ticket(), desk.ticket()
    await late.open(priority="medium", queue="risky", routed=True)
    await early.open(priority="high", queue="risky", routed=True)
    await calm.open(priority="low", queue="risky", routed=True)
    await until(lambda: desk.said(calm, TargetsSet))
    async with desk.client() as client:
        asked: dict[str, Any] = {"queue": "risky", "within": 4 * 3600, "limit": 1}
        first = (await client.get("/v1/at-risk", params=asked)).raise_for_status().json()
        second = (await client.get("/v1/at-risk", params={**asked, "cursor": first["next"]})).json()
        nothing = (await client.get("/v1/at-risk", params={"queue": "risky"})).json()
    assert [item["ticket"] for item in first["items"] + second["items"]] == [early.id, late.id]
    assert (first["items"][0]["metric"], first["items"][0]["warned"]) == ("first_response", False)
    assert second["next"] is None
    assert nothing["items"] == []


async def test_policies_are_shown_as_understood(desk: Desk) -> None:
    async with desk.client() as client:
        shown = (await client.get("/v1/policies")).raise_for_status().json()
    assert shown["promises"]["policies"][0]["targets"]["high"]["resolution"]["time"] == 8 * 3600
    assert "office" in shown["schedules"]


async def test_B6_L15_a_queues_schedule_moves_the_deadlines_of_its_tickets(desk: Desk) -> None:
    ticket = desk.ticket()
    opened_at = await ticket.open(priority="low", queue="nights", routed=True)
    await until(lambda: desk.said(ticket, TargetsSet))
    async with desk.router.transactions.begin() as transaction:
        transaction.say(QueueChanged(key="nights", name="Nights", schedule="office"), "queue:nights")
    said = await until(lambda: _targets(desk, ticket, 2))
    assert said[-1].schedule == "office"
    assert said[-1].targets[1].deadline > opened_at + timedelta(hours=48)
    assert said[-1].targets[0].state is TargetState.RUNNING


async def test_L15_a_changed_configuration_moves_open_clocks_and_says_so(desk: Desk) -> None:
    ticket = desk.ticket()
    opened_at = await ticket.open(priority="high", routed=True)
    await until(lambda: desk.said(ticket, TargetsSet))
    await desk.stack.configure(configuration(high={"first_response": "2h", "resolution": "9h"}), version=2)
    said = await until(lambda: _targets(desk, ticket, 2))
    assert [target.deadline for target in said[-1].targets] == [
        opened_at + timedelta(hours=2),
        opened_at + timedelta(hours=9),
    ]
    assert not said[-1].final


async def _decided(desk: Desk, ticket: Ticket, count: int) -> list[SlaDecided]:
    found = await desk.said(ticket, SlaDecided)
    return found if len(found) == count else []


async def _targets(desk: Desk, ticket: Ticket, count: int) -> list[TargetsSet]:
    found = await desk.said(ticket, TargetsSet)
    return found if len(found) >= count else []
