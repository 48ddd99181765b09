"""A worker may lose its lease and get it again in the same process; a part that fails ends the process, and in time."""

import asyncio
import importlib
from dataclasses import replace
from time import monotonic
from typing import Any

import pytest

from libs.chassis.process import Process
from libs.chassis.resources import Resources, Worker
from signalbox.configuration import read_configuration
from signalbox.services import SERVICES, installed
from tests.component.intake.conftest import CONFIG
from tests.support.stack import Stack, until

END_SECONDS = 10.0


@pytest.fixture(scope="module")
async def provisioned(stack: Stack) -> Stack:
    await stack.provision(installed())
    await stack.configure(read_configuration(CONFIG))
    return stack


def built(stack: Stack, service: str) -> Any:
    app = importlib.import_module(f"services.{service}.app")
    return app.build(stack.settings(app.SETTINGS, service))


@pytest.mark.parametrize("service", SERVICES)
async def test_4_every_worker_can_begin_again_in_the_same_process(provisioned: Stack, service: str) -> None:
    service_with_workers = built(provisioned, service)
    async with provisioned.running(replace(service_with_workers, workers=())) as process:
        for worker in service_with_workers.workers:
            for _ in range(2):
                over = asyncio.Event()
                over.set()
                async with asyncio.timeout(END_SECONDS):
                    await worker.run(process.resources, over)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_part_that_fails_ends_the_process_in_time(provisioned: Stack, service: str) -> None:
    """So that whoever watches processes starts it again, and its leases go to others."""
    fail = asyncio.Event()

    async def broken(resources: Resources, over: asyncio.Event) -> None:
        await fail.wait()
        raise LookupError("a fault of ours")

    healthy = built(provisioned, service)
    process = Process(replace(healthy, workers=[*healthy.workers, Worker("broken", broken, leased=True)]))
    run = asyncio.ensure_future(process.run(asyncio.Event()))

    async def ready() -> bool:
        return run.done() or not await process.problems()

    await until(ready, seconds=30)
    began = monotonic()
    fail.set()
    with pytest.raises(ExceptionGroup):
        await asyncio.wait_for(run, END_SECONDS)
    assert monotonic() - began < END_SECONDS
