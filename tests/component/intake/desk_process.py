"""Intake's process with a configuration of the test's own, agents and queues to give work to."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from libs.chassis.process import Process
from libs.contracts.routing import AgentChanged, Presence, QueueChanged
from services.intake.app import SETTINGS, build
from services.intake.handlers import HEARS, handle
from tests.component.intake.conftest import Intake, files
from tests.component.intake.conftest import client_of as client_of
from tests.component.intake.talk import fact
from tests.support.stack import Stack


@asynccontextmanager
async def desk_process(stack: Stack, intake: Intake, changed: Mapping[str, Any]) -> AsyncIterator[Process]:
    """Runs with the example configuration but for the files that are changed; mira and tom, billing and technical."""
    await stack.provision({"intake": tuple(HEARS)})
    await stack.configure({**files(), **changed})
    async with stack.running(build(stack.settings(SETTINGS, "intake"))) as process:
        facts = [
            fact(AgentChanged(key=key, active=True, presence=Presence.ONLINE), f"agent:{key}", 1, intake)
            for key in ("mira", "tom")
        ] + [fact(QueueChanged(key=key, name=key), f"queue:{key}", 1, intake) for key in ("billing", "technical")]
        async with process.transactions.begin() as transaction:
            await handle(facts, transaction)
        yield process
