"""Reporting's numbers on real servers: the same as a script that shares no code computes, and the same rebuilt."""

import asyncio
import csv
from io import StringIO
from random import Random
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from libs.chassis.tokens import Role
from libs.contracts.event import Speaker
from libs.contracts.routing import AgentChanged, Presence, QueueChanged
from libs.contracts.sla import Outcome
from services.reporting.handlers import handle
from services.reporting.metrics import ReportingMetrics
from services.reporting.queries import snapshot
from tests.component.reporting.conftest import Scene
from tests.domain.reporting.story import Story, interleaved, random_story
from tests.support.stack import until

WEEKS = ["2026-W12", "2026-W13", "2026-W14"]


@pytest.fixture(scope="module", autouse=True)
async def told(scene: Scene) -> None:
    """Forty tickets about which anything is said, and one whose numbers are known."""
    random = Random(20260316)
    stories = [random_story(f"00000000-0000-7000-8000-{number:012}", random, steps=14) for number in range(40)]
    await scene.tell(interleaved(stories, random))
    async with scene.speakers[Speaker.ROUTER].transactions.begin() as transaction:
        for key in ("anna", "ben", "idle"):
            agent = AgentChanged(key=key, name=key.title(), active=True, presence=Presence.ONLINE)
            transaction.say(agent, f"agent:{key}")
        transaction.say(QueueChanged(key="general", name="General"), "queue:general")
    await scene.settled()


async def rebuilt(scene: Scene) -> dict[str, Any]:
    async with scene.stack.client(scene.reporting, scene.token(Role.ADMIN)) as client:
        asked = await client.post("/v1/rebuilds", headers={"Idempotency-Key": str(Random().random())})
        assert asked.status_code == 202

        async def finished() -> dict[str, Any] | None:
            shown: dict[str, Any] = (await client.get(asked.headers["location"])).json()
            return shown if shown["finished_at"] else None

        done: dict[str, Any] = await until(finished, seconds=40)
        return done


@pytest.mark.parametrize("week", WEEKS)
async def test_Q1_the_weekly_review_is_what_an_independent_script_computes(scene: Scene, week: str) -> None:
    assert await scene.differences(week) == []
    assert (await scene.weekly("2026-W12"))["tickets"]["created"] > 5


async def test_Q1_the_script_would_notice(scene: Scene) -> None:
    async with scene.reporting.database.connection() as connection:
        await connection.execute("UPDATE tallies_a SET n = n + 1 WHERE measure = 'met'")
        try:
            assert [words.partition(":")[0] for words in await scene.differences("2026-W12")] == ["sla"]
        finally:
            await connection.execute("UPDATE tallies_a SET n = n - 1 WHERE measure = 'met'")


async def test_22_rebuilt_from_the_log_the_numbers_are_the_same(scene: Scene) -> None:
    before = [await scene.weekly(week) for week in WEEKS]
    done = await rebuilt(scene)
    assert (done["differences"], done["fault"]) == (0, None)
    assert done["facts"] == sum((await scene.said()).values())
    assert [await scene.weekly(week) for week in WEEKS] == before
    assert (await rebuilt(scene))["differences"] == 0


async def test_22_a_rebuild_mends_what_was_damaged(scene: Scene) -> None:
    before = await scene.weekly("2026-W12")
    async with scene.reporting.database.connection() as connection:
        copy = await connection.fetchval("SELECT copy FROM live_copy")
        await connection.execute(f"UPDATE tallies_{copy} SET n = n + 7 WHERE measure = 'created'")
    assert await scene.weekly("2026-W12") != before
    assert (await rebuilt(scene))["differences"] > 0
    assert await scene.weekly("2026-W12") == before


async def test_22_facts_that_come_during_a_rebuild_count_once(scene: Scene) -> None:
    random = Random(7)
    stories = [random_story(f"11111111-0000-7000-8000-{number:012}", random) for number in range(12)]
    facts = interleaved(stories, random)
    await scene.tell(facts[: len(facts) // 3])
    async with scene.stack.client(scene.reporting, scene.token(Role.ADMIN)) as client:
        asked = await client.post("/v1/rebuilds")
        await scene.tell(facts[len(facts) // 3 :])
        await until(lambda: _finished(client, asked.headers["location"]), seconds=40)
    await scene.settled()
    assert [await scene.differences(week) for week in WEEKS] == [[], [], []]
    assert (await rebuilt(scene))["differences"] == 0


async def _finished(client: Any, path: str) -> bool:
    return bool((await client.get(path)).json()["finished_at"])


async def test_22_a_dropped_schema_comes_back_equal(scene: Scene) -> None:
    """Everything is lost, what was heard too: one rebuild brings the numbers and the places in the logs back."""
    before = [await scene.weekly(week) for week in WEEKS]
    await scene.stop()
    scene.stack.database.execute("DROP SCHEMA reporting CASCADE")
    await scene.start()
    assert (await scene.weekly("2026-W12"))["tickets"]["created"] == 0
    await rebuilt(scene)
    await scene.settled()
    assert [await scene.weekly(week) for week in WEEKS] == before
    assert [await scene.differences(week) for week in WEEKS] == [[], [], []]
    await scene.tell(Story("33333333-0000-7000-8000-000000000000").open().reply().said)
    await scene.settled()
    assert await scene.differences("2026-W12") == []


async def test_22_a_rebuild_that_lacks_a_speaker_changes_nothing(scene: Scene) -> None:
    before = await scene.weekly("2026-W12")
    await scene.stop()
    sla = scene.stack.urls.pop("sla")
    await scene.start()
    assert "SIGNALBOX_SLA_URL is not set" in (await rebuilt(scene))["fault"]
    assert await scene.weekly("2026-W12") == before
    await scene.stop()
    scene.stack.urls["sla"] = sla
    await scene.start()


async def test_2_two_holders_that_make_the_same_ticket_at_once_lose_nothing(scene: Scene) -> None:
    """Facts of different speakers about a new ticket, folded by two transactions that cannot see each other."""
    story = Story("44444444-0000-7000-8000-000000000000").later(days=100).open(priority="low").decide(Outcome.MET)
    opened, decided = story.said
    async with scene.reporting.transactions.begin() as first:
        await handle([opened], first)
        second = asyncio.ensure_future(_fold(scene, [decided]))
        await until(lambda: _waits_for_a_lock(scene))
    await second
    review = await scene.weekly("2026-W26")
    assert (review["tickets"]["created"], review["sla"]["overall"]["met"]) == (1, 1)


async def _fold(scene: Scene, facts: list[Any]) -> None:
    async with scene.reporting.transactions.begin() as transaction:
        await handle(facts, transaction)


async def _waits_for_a_lock(scene: Scene) -> bool:
    async with scene.reporting.database.connection() as connection:
        return bool(await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))


async def test_Q7_idle_agents_count_in_the_spread(scene: Scene) -> None:
    workload = (await scene.weekly("2026-W12"))["workload"]
    assert [(load["agent"], load["name"]) for load in workload["agents"]] == [
        ("anna", "Anna"),
        ("ben", "Ben"),
        ("idle", "Idle"),
    ]
    assert workload["open_now"]["jain"] < 1


async def test_Q4_compliance_below_the_limit_is_highlighted(scene: Scene) -> None:
    story = Story("22222222-0000-7000-8000-000000000000").open(priority="high")
    story.later(days=70)
    await scene.tell(story.decide(Outcome.BREACHED).said)
    await scene.settled()
    review = await scene.weekly("2026-W22")
    assert review["sla"]["overall"]["compliance"] == 0
    assert review["sla"]["overall"]["certainty"]["low"] == 0
    assert review["highlights"] == [
        "SLA compliance of all: 0.0% of 1, below 80%",
        "SLA compliance of first_response: 0.0% of 1, below 80%",
        *[words for words in review["highlights"] if "spread" in words],
    ]


async def test_reports_as_csv(scene: Scene) -> None:
    async with scene.stack.client(scene.reporting) as client:
        given = {"week": "2026-W12"}
        answer = await client.get("/v1/reports/weekly", params=given, headers={"Accept": "text/csv"})
        review = await scene.weekly("2026-W12")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    lines = dict(csv.reader(StringIO(answer.text)))
    assert lines["tickets.created"] == str(review["tickets"]["created"])
    assert lines["sla.overall.met"] == str(review["sla"]["overall"]["met"])


async def test_a_metric_by_day_adds_up_to_the_review(scene: Scene) -> None:
    review = await scene.weekly("2026-W12")
    span = {"from": "2026-03-16", "to": "2026-03-22"}
    async with scene.stack.client(scene.reporting) as client:
        created = (await client.get("/v1/metrics/created", params=span)).json()["items"]
        response = (await client.get("/v1/metrics/first_response", params={**span, "group": "priority"})).json()
        sla = (await client.get("/v1/metrics/sla", params={**span, "group": "metric"})).json()["items"]
    assert sum(point["n"] for point in created) == review["tickets"]["created"]
    assert {p["key"]: p["p50"] for p in response["items"]} == {
        row["priority"]: row["p50"] for row in review["first_response"]["by_priority"]
    }
    assert {p["key"]: p["share"] for p in sla} == {
        row["metric"]: row["compliance"] for row in review["sla"]["by_metric"]
    }


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("/v1/reports/weekly?week=2026-13", 422, "2026-W12"),
        ("/v1/reports/monthly?month=2026-13", 422, "2026-03"),
        ("/v1/metrics/mood?from=2026-01-01&to=2026-01-02", 404, "created"),
        ("/v1/metrics/created?from=2026-01-01&to=2026-01-02&group=agent", 422, "channel"),
        ("/v1/metrics/created?from=2026-01-03&to=2026-01-02", 422, "before"),
    ],
)
async def test_what_cannot_be_answered_says_why(scene: Scene, path: str, status: int, word: str) -> None:
    async with scene.stack.client(scene.reporting) as client:
        answer = await client.get(path)
    assert answer.status_code == status
    assert word in answer.text


async def test_month_and_quarter_add_up(scene: Scene) -> None:
    async with scene.stack.client(scene.reporting) as client:
        month = (await client.get("/v1/reports/monthly", params={"month": "2026-03"})).json()
        quarter = (await client.get("/v1/reports/quarterly", params={"quarter": "2026-Q1"})).json()
    weeks = [(await scene.weekly(week))["tickets"]["created"] for week in WEEKS]
    assert month["tickets"]["created"] == quarter["tickets"]["created"] == sum(weeks)


async def test_Q10_metrics_have_closed_labels_and_buckets_at_the_targets(scene: Scene) -> None:
    story = Story("55555555-0000-7000-8000-000000000000").later(days=200).open(priority="high", tags=["refund"])
    await scene.tell(story.later(seconds=900).reply().decide(Outcome.MET).said)
    await scene.settled()
    async with scene.stack.client(scene.reporting) as client:
        text = (await client.get("/metrics")).text
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert sum(line.startswith("signalbox_") for line in lines) < 500
    assert not any(secret in text for secret in ("00000000-0000", "anna", "refund"))
    assert any(line.startswith("signalbox_sla_verdicts_total{") for line in lines)
    buckets = [line for line in lines if line.startswith("signalbox_first_response_seconds_bucket")]
    assert 'signalbox_first_response_seconds_bucket{le="300.0",priority="high"} 0.0' in buckets
    assert 'signalbox_first_response_seconds_bucket{le="900.0",priority="high"} 1.0' in buckets


async def test_Q10_gauges_say_how_many_tickets_are_open(scene: Scene) -> None:
    metrics, registry = ReportingMetrics(), CollectorRegistry()
    metrics.register(registry)
    async with snapshot(scene.reporting.database) as queries:
        metrics.standing.measure(await queries.standing(), await queries.unassigned(), scene.reporting.clock.now())
    samples = [sample for metric in registry.collect() for sample in metric.samples]
    review = await scene.weekly("2026-W12")
    shown = sum(sample.value for sample in samples if sample.name == "signalbox_tickets_open")
    assert shown == review["tickets"]["open_now"]
    unassigned = sum(sample.value for sample in samples if sample.name == "signalbox_tickets_unassigned")
    assigned = sum(load["open_now"] for load in review["workload"]["agents"])
    assert unassigned == review["tickets"]["open_now"] - assigned


async def test_the_present_week_is_the_default(scene: Scene) -> None:
    async with scene.stack.client(scene.reporting) as client:
        review = (await client.get("/v1/reports/weekly")).json()
    now = scene.reporting.clock.now().isocalendar()
    assert review["period"] == f"{now.year}-W{now.week:02d}"
    assert not review["complete"]
