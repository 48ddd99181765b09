"""`signalbox report` and `signalbox reporting rebuild` against a running service."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from libs.chassis.tokens import Role
from libs.contracts.routing import AgentChanged, Presence
from libs.contracts.sla import Outcome
from signalbox import report, reporting
from tests.component.reporting.conftest import Scene
from tests.domain.reporting.story import Story


@pytest.fixture(scope="module", autouse=True)
async def told(scene: Scene) -> None:
    story = Story("00000000-0000-7000-8000-000000000001").open(priority="high", category="<b>login</b>", tags=["bug"])
    story.later(minutes=20).reply().decide(Outcome.BREACHED).change("agent:anna", status="resolved", assignee="anna")
    await scene.tell(story.said)
    async with scene.speakers[AgentChanged.SPEAKER].transactions.begin() as transaction:
        agent = AgentChanged(key="anna", name="Anna & Co", active=True, presence=Presence.ONLINE)
        transaction.say(agent, "agent:anna")
    await scene.settled()


async def run(scene: Scene, app: Typer, *arguments: str, **environment: str) -> Result:
    """A command in a thread of its own: the services run in this one's loop."""
    given: Mapping[str, str] = {
        "SIGNALBOX_REPORTING_URL": scene.reporting.url,
        "SIGNALBOX_TOKEN": scene.token(Role.ADMIN),
        **environment,
    }
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, list(arguments), env=given))


async def test_the_weekly_review_as_tables(scene: Scene) -> None:
    result = await run(scene, report.app, "weekly", "--week", "2026-W12", COLUMNS="120")
    assert result.exit_code == 0, result.output
    for words in ("Week 2026-W12", "1 created, 1 resolved", "20 min", "<b>login</b>", "Anna & Co", "below 80%"):
        assert words in result.output


async def test_the_weekly_review_as_json_is_what_the_api_answers(scene: Scene) -> None:
    result = await run(scene, report.app, "weekly", "--week", "2026-W12", "--json")
    shown = json.loads(result.output)
    shown.pop("as_of")
    assert shown == await scene.weekly("2026-W12")


async def test_the_page_escapes_what_people_typed(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "week.html"
    result = await run(scene, report.app, "weekly", "--week", "2026-W12", "--html", str(path))
    assert (result.exit_code, result.output) == (0, "")
    page = path.read_text()
    assert "&lt;b&gt;login&lt;/b&gt;" in page
    assert "Anna &amp; Co" in page
    assert "<b>" not in page
    assert "http" not in page


@pytest.mark.parametrize(
    ("command", "option", "period"), [("monthly", "month", "2026-03"), ("quarterly", "quarter", "2026-Q1")]
)
async def test_longer_reviews(scene: Scene, command: str, option: str, period: str) -> None:
    result = await run(scene, report.app, command, f"--{option}", period, "--json")
    assert json.loads(result.output)["tickets"]["created"] == 1


async def test_a_wrong_week_fails_in_one_line(scene: Scene) -> None:
    result = await run(scene, report.app, "weekly", "--week", "12")
    assert "write it like 2026-W12" in str(result.exception)


async def test_rebuild_says_what_it_found(scene: Scene) -> None:
    result = await run(scene, reporting.app, "rebuild")
    assert result.output.strip().endswith("facts counted again: all numbers are as they were")
    shown = json.loads((await run(scene, reporting.app, "rebuild", "--json")).output)
    assert shown["differences"] == 0
