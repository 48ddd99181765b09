"""Reservations: confirmed, refused, given back; two planners at a time (decisions 8 and 9)."""

import asyncio
from collections import Counter
from typing import Any

from libs.contracts.event import Speaker
from libs.contracts.fact import Fact
from libs.contracts.sla import Metric, Target, TargetsSet, TargetState
from libs.contracts.ticket import MessageKind, TicketMessageAdded
from tests.component.router.conftest import Router
from tests.support.router_files import agent, files, queue


async def turns(router: Router) -> dict[str, int]:
    return {row["agent"]: row["count"] for row in await router.rows("SELECT agent, count FROM turns")}


async def test_R6_a_person_was_quicker_the_turn_and_the_load_go_back(router: Router) -> None:
    router.configure(files({"ann": agent(), "bob": agent()}))
    [(_, decision)] = await router.hear(router.intake.open("t1"))
    assert decision.assignee == "ann"
    assert await router.loads() == {"lead": 0, "ann": 1, "bob": 0}
    by_hand = router.intake.person("t1", assignee="bob")
    assert await router.hear(by_hand, router.intake.apply("t1", decision)) == []
    assert router.intake.tickets["t1"].assignee == "bob"
    assert router.intake.refused == 1
    assert await router.loads() == {"lead": 0, "ann": 0, "bob": 1}
    assert await turns(router) == {"ann": 0}


async def test_R6_a_refused_decision_is_made_again_for_the_new_epoch(router: Router) -> None:
    router.configure(files({"ann": agent(), "bob": agent()}, {"general": queue(), "sales": queue()}))
    [(_, decision)] = await router.hear(router.intake.open("t1"))
    moved = router.intake.person("t1", queue="general")
    refused = router.intake.apply("t1", decision)
    [(_, second)] = await router.hear(moved, refused)
    assert (second.epoch, second.assignee) == (1, "ann")
    await router.settle([("t1", second)])
    assert router.intake.tickets["t1"].assignee == "ann"
    assert await turns(router) == {"ann": 1}


async def test_R6_the_agent_left_while_the_decision_was_under_way(router: Router) -> None:
    router.configure(files({"ann": agent(), "bob": agent()}))
    decided = await router.hear(router.intake.open("t1"))
    assert await router.staff("ann", active=False) == []
    await router.settle(decided)
    assert router.intake.tickets["t1"].assignee == "bob"
    assert await router.loads() == {"lead": 0, "ann": 0, "bob": 1}


async def test_R10_moved_by_a_person_it_gets_an_agent_of_that_queue(router: Router) -> None:
    rule = {"id": "vat", "then": {"queue": "general", "required_skills": ["vat"]}}
    agents = {"ann": agent(skills=["vat"]), "sid": agent("sales")}
    router.configure(files(agents, {"general": queue(), "sales": queue()}, [rule]))
    await router.settle(await router.hear(router.intake.open("t1")))
    await router.settle(await router.hear(router.intake.person("t1", queue="sales")))
    assert router.intake.tickets["t1"].assignee == "sid", "the skill was asked for by a rule that meant another queue"
    assert (await router.why("t1"))[0]["rules"]["overridden"] == [["vat", "queue", "person"]]


async def test_R12_by_hand_more_than_the_capacity_is_allowed_and_nothing_is_taken_away(router: Router) -> None:
    router.configure(files({"ann": agent(capacity=1)}))
    await router.settle(await router.hear(router.intake.open("t1")))
    await router.hear(router.intake.open("t2", assignee="ann", queue="general"))
    assert await router.loads() == {"lead": 0, "ann": 2}
    assert [one["trigger"] for one in await router.why("t2")] == ["opened"]


async def test_R4_pending_frees_capacity_and_the_owner_stays(router: Router) -> None:
    router.configure(files({"ann": agent(capacity=1)}))
    await router.settle(await router.hear(router.intake.open("t1")))
    await router.settle(await router.hear(router.intake.open("t2")))
    await router.settle(await router.hear(router.intake.pend("t1")))
    assert router.intake.tickets["t1"].assignee == "ann"
    assert router.intake.tickets["t2"].assignee == "ann"


async def test_R8_reopened_it_stays_with_its_owner_or_is_routed_again(router: Router) -> None:
    router.configure(files({"ann": agent(), "bob": agent()}))
    await router.settle(await router.hear(router.intake.open("t1"), router.intake.open("t2")))
    for ticket in ("t1", "t2"):
        await router.hear(router.intake.resolve(ticket))
    await router.hear(router.intake.person("t2", assignee=None))
    decided = await router.hear(router.intake.reopen("t1"), router.intake.reopen("t2"))
    assert [ticket for ticket, _ in decided] == ["t2"]
    await router.settle(decided)
    assert (await router.loads())["ann"] + (await router.loads())["bob"] == 2


async def test_L13_L14_merged_and_removed_tickets_are_nobodys_load_and_restored_ones_come_back(router: Router) -> None:
    router.configure(files({"ann": agent(capacity=2)}))
    await router.settle(await router.hear(*[router.intake.open(f"t{n}") for n in range(2)]))
    await router.hear(router.intake.merge("t0"), router.intake.remove("t1"))
    assert await router.loads() == {"lead": 0, "ann": 0}
    await router.hear(router.intake.restore("t1"))
    assert await router.loads() == {"lead": 0, "ann": 1}


async def test_M2_an_unmerged_ticket_is_its_agents_load_again_and_one_without_is_routed(router: Router) -> None:
    router.configure(files({"ann": agent(capacity=3)}))
    await router.settle(await router.hear(router.intake.open("t1")))
    await router.hear(router.intake.merge("t1"))
    assert await router.loads() == {"lead": 0, "ann": 0}
    assert await router.hear(router.intake.unmerge("t1")) == []
    assert await router.loads() == {"lead": 0, "ann": 1}
    await router.hear(router.intake.open("t2"), router.intake.merge("t2"))
    assert await router.loads() == {"lead": 0, "ann": 1}
    [(ticket, decision)] = await router.hear(router.intake.unmerge("t2"))
    assert (ticket, decision.assignee) == ("t2", "ann")


async def test_7_the_rules_leave_alone_what_a_person_set(router: Router) -> None:
    triage = [{"id": "urgent", "then": {"priority": "critical", "category": "vat"}}]
    router.configure(files({"ann": agent()}, triage=triage))
    [(_, decision)] = await router.hear(router.intake.open("t1", priority="low", created_by="ann"))
    assert (decision.fields.priority, decision.fields.category) == (None, "vat")


async def test_a_ticket_that_opens_resolved_gets_fields_and_a_queue_but_no_agent(router: Router) -> None:
    router.configure(files({"ann": agent()}))
    resolved = router.intake.open("t1", status="resolved", status_category="resolved", counts=False)
    [(_, decision)] = await router.hear(resolved)
    assert (decision.queue, decision.assignee, decision.reason) == ("general", None, "not_worked_on")


async def test_R4_deadlines_order_what_waits_and_answers_are_noted_without_the_floor(router: Router) -> None:
    router.configure(files({"ann": agent(capacity=1)}))
    await router.settle(await router.hear(router.intake.open("t1")))
    await router.settle(await router.hear(router.intake.open("late"), router.intake.open("soon")))
    deadline = router.intake.now.replace(hour=15)
    target = Target(metric=Metric.FIRST_RESPONSE, instance=1, state=TargetState.RUNNING, deadline=deadline)
    said = TargetsSet(targets=(target,), final=True)
    promise = Fact(Speaker.SLA, "soon", 1, TargetsSet.TYPE, router.intake.now, said)
    answer = TicketMessageAdded(message_id="m", kind=MessageKind.AGENT, human=True, channel="email")
    await router.hear(promise, router.intake.say("late", answer))
    assert (await router.ticket("late")).started
    assert (await router.ticket("soon")).deadline == deadline
    decided = await router.hear(router.intake.resolve("t1"))
    assert [ticket for ticket, _ in decided] == ["soon"]


async def test_R6_two_routers_at_once_never_exceed_a_capacity_nor_reserve_twice(router: Router) -> None:
    agents = {"ann": agent("a"), "bob": agent("a", "b", capacity=7), "cem": agent("b", capacity=11)}
    agents["ann"]["capacity"] = 9
    first = {"field": "subject", "operator": "word", "value": "first"}
    rules: list[dict[str, Any]] = [
        {"id": "a", "when": first, "then": {"queue": "a"}},
        {"id": "b", "salience": -1, "then": {"queue": "b"}},
    ]
    router.configure(files(agents, {"general": queue(), "a": queue(), "b": queue()}, rules))
    await router.hear()
    other = Router(router.pool, router.intake, router.configuration)
    subjects = ["first", "second"] * 20
    opened = [router.intake.open(f"t{n:02}", subject) for n, subject in enumerate(subjects)]
    batches = [opened[at : at + 2] for at in range(0, 40, 2)]
    waves = await asyncio.gather(*[(router, other)[at % 2].hear(*batch) for at, batch in enumerate(batches)])
    decided = [one for wave in waves for one in wave]
    assert len({ticket for ticket, _ in decided}) == 40
    assert (await router.loads()) == {"lead": 0, "ann": 9, "bob": 7, "cem": 11}
    confirmed = [router.intake.apply(ticket, decision) for ticket, decision in decided]
    waves = await asyncio.gather(*[(router, other)[at % 2].hear(fact) for at, fact in enumerate(confirmed)])
    assert Counter(router.intake.given) == {"ann": 9, "bob": 7, "cem": 11}
    assert (await router.loads()) == {"lead": 0, "ann": 9, "bob": 7, "cem": 11}
    owned = [key for key, ticket in router.intake.tickets.items() if ticket.assignee]
    freed = await asyncio.gather(*[(router, other)[n % 2].hear(router.intake.resolve(t)) for n, t in enumerate(owned)])
    again = [one for wave in freed for one in wave]
    assert len(again) == 40 - 27, "each ticket that waited was reserved exactly once"
    await router.settle(again)
    assert sum((await router.loads()).values()) == 13
