"""Reporting on real servers, hearing four speakers that say whatever a story tells."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from libs.chassis.clock import real_now
from libs.chassis.migrations import versions_folder
from libs.chassis.process import Process
from libs.chassis.service import Service
from libs.chassis.settings import Settings
from libs.chassis.tokens import Role
from libs.contracts.event import Event, Speaker
from libs.contracts.fact import Fact
from services.reporting.app import build
from services.reporting.handlers import HEARS
from tests.component.reporting import independent_report
from tests.support.stack import Stack, until
from tests.support.toy.service import VERSIONS

SPEAKERS: list[Speaker] = [speaker for speaker in Speaker if speaker is not Speaker.SOURCE]


@dataclass
class Scene:
    """Four speakers and reporting."""

    stack: Stack
    speakers: Mapping[Speaker, Process]
    running: AsyncExitStack = field(default_factory=AsyncExitStack)

    reporting: Process = field(init=False)

    async def start(self) -> None:
        """Start reporting on a migrated schema."""
        hears = {**{str(speaker): () for speaker in SPEAKERS}, "reporting": tuple(HEARS)}
        await self.stack.provision(hears, versions)
        service = build(self.stack.settings(Settings, "reporting"))
        self.reporting = await self.running.enter_async_context(self.stack.running(service))

    async def stop(self) -> None:
        """Stop reporting; the speakers go on."""
        await self.running.aclose()

    def token(self, role: Role) -> str:
        return self.reporting.resources.tokens.issue("test", role, real_now(), lifetime=timedelta(hours=1))

    async def tell(self, facts: Iterable[Fact[Event]]) -> None:
        """Have every fact said by its speaker, in the order given."""
        for fact in facts:
            async with self.speakers[fact.speaker].transactions.begin() as transaction:
                transaction.say(
                    fact.data, fact.subject, occurred_at=fact.occurred_at, actor=fact.actor, state=fact.state_json
                )

    async def settled(self) -> None:
        """Wait until all that was said is heard."""
        await until(self._is_settled, seconds=40)

    async def weekly(self, week: str) -> dict[str, Any]:
        """The weekly review, without the instant it was asked for."""
        async with self.stack.client(self.reporting) as client:
            answer = await client.get("/v1/reports/weekly", params={"week": week})
        assert answer.status_code == 200, answer.text
        review: dict[str, Any] = answer.json()
        return {name: value for name, value in review.items() if name != "as_of"}

    async def facts(self) -> list[dict[str, Any]]:
        """Every fact of every speaker, read by the independent script's own means."""
        found: list[dict[str, Any]] = []
        for speaker in self.speakers.values():
            async with self.stack.client(speaker) as client:
                after: str | None = "0.0"
                while after is not None:
                    page = (await client.get("/v1/events", params={"after": after, "limit": 1000})).json()
                    found += map(independent_report.read_fact, page["items"])
                    after = page["next"]
        return found

    async def differences(self, week: str) -> list[str]:
        """What the independent script finds wrong in the weekly review."""
        found: list[str] = independent_report.differences(
            independent_report.report(await self.facts(), week), await self.weekly(week)
        )
        return found

    async def said(self) -> dict[tuple[str, str], int]:
        """The last number of each (speaker, subject)."""
        found: dict[tuple[str, str], int] = {}
        for speaker, process in self.speakers.items():
            async with process.database.connection() as connection:
                rows = await connection.fetch("SELECT subject, max(n) AS n FROM events GROUP BY subject")
            found |= {(speaker.value, row["subject"]): row["n"] for row in rows}
        return found

    async def _is_settled(self) -> bool:
        async with self.reporting.database.connection() as connection:
            rows = await connection.fetch("SELECT speaker, subject, n FROM heard")
        return {(row["speaker"], row["subject"]): row["n"] for row in rows} == await self.said()


def versions(service: str) -> Path:
    return versions_folder(service) if service == "reporting" else VERSIONS


@pytest.fixture(scope="module")
async def scene(stack: Stack) -> AsyncIterator[Scene]:
    await stack.provision({str(speaker): () for speaker in SPEAKERS}, versions)
    await stack.configure({})
    async with AsyncExitStack() as running:
        speakers: dict[Speaker, Process] = {}
        for speaker in SPEAKERS:
            settings = stack.settings(Settings, str(speaker), pool_size=3)
            service = Service(name=str(speaker), version="0", settings=settings, speaker=speaker, migrations=VERSIONS)
            speakers[speaker] = await running.enter_async_context(stack.running(service))
        scene = Scene(stack, speakers)
        await scene.start()
        yield scene
        await scene.stop()
