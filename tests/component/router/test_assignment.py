"""Tickets come, agents get them: by turns, by skill, by load, with a fallback always."""

from collections import Counter
from datetime import timedelta
from itertools import groupby

from tests.component.router.conftest import Router
from tests.support.router_files import agent, files, queue

FOUR = {key: agent() for key in ("ann", "bob", "cem", "dora")}


async def test_R2_four_hundred_tickets_over_four_agents_are_a_hundred_each_and_every_fourth_is_theirs(
    router: Router,
) -> None:
    router.configure(files(FOUR))
    for first in range(0, 400, 37):
        batch = [router.intake.open(f"t{number:03}") for number in range(first, min(first + 37, 400))]
        await router.settle(await router.hear(*batch))
    assert Counter(router.intake.given) == dict.fromkeys(FOUR, 100)
    assert all(len(list(run)) == 1 for _, run in groupby(router.intake.given))
    assert all(set(router.intake.given[at : at + 4]) == set(FOUR) for at in range(0, 400, 4))
    assert await router.loads() == {"lead": 0, **dict.fromkeys(FOUR, 100)}


async def test_R2_a_restart_goes_on_with_the_next_turn(router: Router) -> None:
    router.configure(files(FOUR))
    await router.settle(await router.hear(router.intake.open("t1")))
    again = Router(router.pool, router.intake, router.configuration)
    await again.settle(await again.hear(router.intake.open("t2"), router.intake.open("t3")))
    assert router.intake.given == ["ann", "bob", "cem"]


async def test_R2_who_comes_back_joins_at_the_median_and_is_not_flooded(router: Router) -> None:
    router.configure(files({**FOUR, "dora": agent(presence="offline")}))
    await router.settle(await router.hear(*[router.intake.open(f"t{n:02}") for n in range(30)]))
    assert await router.staff("dora", presence="online") == []
    await router.settle(await router.hear(*[router.intake.open(f"u{n:02}") for n in range(8)]))
    assert Counter(router.intake.given[30:]) == dict.fromkeys(FOUR, 2)


async def test_R3_balanced_gives_to_whoever_has_least(router: Router) -> None:
    router.configure(files(FOUR, {"general": queue(strategy="balanced")}))
    opened = [router.intake.open(f"mine{n}", assignee="ann", queue="general") for n in range(3)]
    await router.settle(await router.hear(*opened))
    await router.settle(await router.hear(*[router.intake.open(f"t{n}") for n in range(9)]))
    assert await router.loads() == {"lead": 0, "ann": 3, "bob": 3, "cem": 3, "dora": 3}


async def test_R1_everybody_not_chosen_has_a_reason(router: Router) -> None:
    agents = {
        "busy": agent(capacity=1, skills=["vat"]),
        "gone": agent(presence="offline", skills=["vat"]),
        "new": agent(skills=["vat"]),
        "next": agent(skills=["vat"]),
        "other": agent("sales", skills=["vat"]),
        "plain": agent(),
    }
    rule = {"id": "vat", "then": {"queue": "general", "required_skills": ["vat"]}}
    router.configure(files(agents, {"general": queue(), "sales": queue()}, [rule]))
    await router.settle(await router.hear(router.intake.open("t1"), router.intake.open("t2")))
    [why] = await router.why("t2")
    assert router.intake.tickets["t2"].assignee == "new"
    assert why["rejected"] == {
        "not_in_queue": ["lead", "other"],
        "offline": ["gone"],
        "skill_missing": ["plain"],
        "at_capacity": ["busy"],
        "later_turn": ["next"],
    }
    assert why["rules"]["assignment"] == ["vat"]
    assert why["needs"] == ["vat"]


async def test_R0_what_no_rule_routes_goes_to_the_fallback_queue(router: Router) -> None:
    router.configure(files(FOUR))
    [(_, decision)] = await router.hear(router.intake.open("t1"))
    assert (decision.queue, decision.fallback, decision.reason) == ("general", True, "assigned")


async def test_R5_a_skill_that_nobody_has_sends_the_ticket_to_the_fallback_queue(router: Router) -> None:
    agents = {"ann": agent(), "rita": agent("tax", skills=["tax"], presence="online")}
    rule = {"id": "tax", "then": {"queue": "tax", "required_skills": ["tax"]}}
    router.configure(files(agents, {"general": queue(), "tax": queue()}, [rule]))
    await router.hear(router.intake.open("t0"))
    await router.staff("rita", skills=[])
    [(_, decision)] = await router.hear(router.intake.open("t1"))
    assert (decision.queue, decision.assignee, decision.reason) == ("general", "ann", "no_holder")
    assert decision.fallback


async def test_R4_at_capacity_tickets_wait_and_the_most_urgent_goes_first_when_somebody_is_freed(
    router: Router,
) -> None:
    router.configure(files({"ann": agent(capacity=1)}))
    opened = [
        router.intake.open("first", priority="medium"),
        router.intake.open("low", priority="low"),
        router.intake.open("old", priority="high"),
        router.intake.open("new", priority="high"),
    ]
    await router.settle(await router.hear(opened[0]))
    waits = await router.hear(*opened[1:])
    assert {(key, one.assignee, one.reason) for key, one in waits} == {
        (key, None, "no_agent_available") for key in ("low", "old", "new")
    }
    await router.settle(waits)
    order = []
    owner = "first"
    while owner:
        decided = await router.hear(router.intake.resolve(owner))
        owner = decided[0][0] if decided else ""
        order.append(owner)
        await router.settle(decided)
        assert (await router.loads())["ann"] <= 1
    assert order == ["old", "new", "low", ""]


async def test_R4_a_ticket_that_waits_goes_to_whoever_comes_online(router: Router) -> None:
    router.configure(files({"ann": agent(presence="offline")}))
    await router.settle(await router.hear(router.intake.open("t1")))
    assert (await router.ticket("t1")).waiting
    await router.settle(await router.staff("ann", presence="online"))
    assert router.intake.tickets["t1"].assignee == "ann"
    assert not (await router.ticket("t1")).waiting


async def test_R4_a_ticket_nobody_can_take_does_not_block_those_behind_it(router: Router) -> None:
    agents = {"ann": agent(capacity=1), "rita": agent(skills=["tax"], presence="offline")}
    tax = {"field": "subject", "operator": "word", "value": "tax"}
    rule = {"id": "tax", "when": tax, "then": {"queue": "general", "required_skills": ["tax"]}}
    router.configure(files(agents, assignment=[rule]))
    opened = [router.intake.open("t1"), router.intake.open("t2", "tax", priority="critical"), router.intake.open("t3")]
    await router.settle(await router.hear(opened[0]))
    await router.settle(await router.hear(*opened[1:]))
    await router.settle(await router.hear(router.intake.resolve("t1")))
    assert router.intake.tickets["t3"].assignee == "ann"
    assert (await router.ticket("t2")).waiting


async def test_R5_a_wish_is_dropped_in_time(router: Router) -> None:
    agents = {"ann": agent(), "uwe": agent(skills=["german"], presence="offline")}
    wish = {"skills": ["german"], "drop_after": "30m"}
    rule = {"id": "german", "then": {"queue": "general", "optional_skills": [wish]}}
    router.configure(files(agents, assignment=[rule]))
    await router.settle(await router.hear(router.intake.open("t1")))
    router.intake.now += timedelta(minutes=29)
    assert await router.fire() == []
    router.intake.now += timedelta(minutes=1)
    await router.settle(await router.fire())
    assert router.intake.tickets["t1"].assignee == "ann"


async def test_R4_after_the_wait_limit_the_overflow_queue_takes_over(router: Router) -> None:
    agents = {"ann": agent(), "sid": agent("sales", presence="offline")}
    rule = {"id": "sales", "then": {"queue": "sales"}}
    queues = {"general": queue(), "sales": queue(overflow="general", wait_limit=600)}
    router.configure(files(agents, queues, [rule]))
    await router.settle(await router.hear(router.intake.open("t1")))
    router.intake.now += timedelta(minutes=11)
    await router.settle(await router.fire())
    assert router.intake.tickets["t1"].assignee == "ann"
    assert router.intake.tickets["t1"].queue == "general"


async def test_T1_T4_after_hours_a_ticket_waits_and_the_opening_gives_it_out(router: Router) -> None:
    closed = {"field": "business_hours", "operator": "is", "value": False}
    rules = [{"id": "night", "when": closed, "then": {"defer": True}}, {"id": "all", "then": {"queue": "office"}}]
    queues = {"general": queue(), "office": queue(schedule="office")}
    router.configure(files({"ann": agent("office", capacity=2)}, queues, rules))
    router.intake.now = router.intake.now.replace(hour=15, minute=59, second=58)  # 16:59:58 in Berlin
    [(_, still_open)] = await router.hear(router.intake.open("t0"))
    [(_, closing)] = await router.hear(router.intake.open("t1"))
    assert (still_open.assignee, closing.assignee, closing.reason) == ("ann", None, "after_hours")
    await router.settle([("t0", still_open), ("t1", closing)])
    await router.settle(await router.hear(router.intake.open("t2", priority="high")))
    assert await router.fire() == []
    router.intake.now = router.intake.now.replace(day=3, hour=8, minute=0, second=0)
    await router.settle(await router.fire())
    assert router.intake.tickets["t2"].assignee == "ann"
    assert (await router.ticket("t1")).waiting, "one slot was free, the urgent ticket had it"
    await router.settle(await router.hear(router.intake.resolve("t0")))
    assert router.intake.tickets["t1"].assignee == "ann"


async def test_R7_who_leaves_the_team_leaves_their_open_tickets_to_others(router: Router) -> None:
    router.configure(files({"ann": agent(), "bob": agent(presence="offline")}))
    await router.settle(await router.hear(router.intake.open("t1"), router.intake.open("t2"), router.intake.open("t3")))
    await router.hear(router.intake.resolve("t3"))
    await router.staff("bob", presence="online")
    await router.settle(await router.staff("ann", active=False))
    owners = [router.intake.tickets[key].assignee for key in ("t1", "t2", "t3")]
    assert owners == ["bob", "bob", "ann"]
    assert (await router.loads()) == {"lead": 0, "ann": 0, "bob": 2}


async def test_R11_what_is_routed_by_its_words_is_routed_so_again_until_it_is_erased(router: Router) -> None:
    agents = {"ann": agent(), "vera": agent(skills=["vat"])}
    vat = {"field": "body", "operator": "word", "value": "vat"}
    rule = {"id": "vat", "when": vat, "then": {"queue": "general", "required_skills": ["vat"]}}
    router.configure(files(agents, assignment=[rule]))
    await router.settle(await router.hear(router.intake.open("t1", "a question", "about the VAT on my bill")))
    assert router.intake.tickets["t1"].assignee == "vera"
    await router.settle(await router.hear(router.intake.person("t1", assignee=None)))
    assert router.intake.tickets["t1"].assignee == "vera"
    await router.hear(router.intake.remove("t1", "erased"))
    assert await router.rows("SELECT * FROM texts") == []


async def test_no_text_of_a_customer_is_kept_where_no_assignment_rule_reads_it(router: Router) -> None:
    refund = {"field": "body", "operator": "word", "value": "refund"}
    triage = [{"id": "refund", "when": refund, "then": {"category": "billing"}}]
    router.configure(files({"ann": agent()}, triage=triage))
    [(_, decision)] = await router.hear(router.intake.open("t1", "hello", "my refund"))
    assert decision.fields.category == "billing"
    assert await router.rows("SELECT * FROM texts") == []
