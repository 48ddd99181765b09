"""A broker that loses what it had: all of it, or the tail of its streams."""

import asyncio
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from signalbox.services import SERVICES
from tests.faults.harness.rest import unheard
from tests.faults.harness.rig import Rig

HEARERS = ("router", "sla", "notifier", "reporting")


def deafen(rig: Rig, services: Sequence[str] = HEARERS) -> None:
    """Stop hearers, so that what is said meanwhile is in the stream and nowhere else."""
    for service in services:
        for child in rig.replicas(service):
            child.signal(signal.SIGSTOP)


def undeafen(rig: Rig, services: Sequence[str] = HEARERS) -> None:
    """Let them go on."""
    for service in services:
        for child in rig.replicas(service):
            child.signal(signal.SIGCONT)


async def published(rig: Rig, speaker: str, seconds: float = 20) -> None:
    """Wait until everything the speaker committed is with the broker."""
    async with asyncio.timeout(seconds):
        while await rig.value(f"SELECT count(*) FROM {speaker}.outbox"):
            await asyncio.sleep(0.05)


def wipe(rig: Rig) -> None:
    """The broker dies and its disk with it; no task runs between, so nobody starts it in the middle."""
    rig.stack.nats.kill()
    rig.stack.nats.wipe()


def photograph(rig: Rig, into: Path) -> None:
    """The broker's store at one instant."""
    rig.stack.nats.child.signal(signal.SIGSTOP)
    shutil.copytree(_store(rig), into)
    rig.stack.nats.child.signal(signal.SIGCONT)


def go_back(rig: Rig, photograph: Path) -> None:
    """The broker dies and comes back as it was then."""
    rig.stack.nats.kill()
    rig.stack.nats.wipe()
    shutil.copytree(photograph, _store(rig))


async def missing(rig: Rig) -> int:
    """How many facts have not been heard by somebody who should."""
    return sum((await unheard(rig)).values())


async def caught_up(rig: Rig, seconds: float) -> float:
    """Wait until everybody has heard everything; how long it took. AssertionError after `seconds`."""
    began = monotonic()
    while behind := await _behind(rig):
        assert monotonic() - began < seconds, f"not heard within {seconds:g} s: {behind}"
        await asyncio.sleep(0.1)
    return monotonic() - began


async def _behind(rig: Rig) -> dict[str, int]:
    found = {name: count for name, count in (await unheard(rig)).items() if count}
    for service in SERVICES:
        for table in ("held", "outbox"):
            if count := int(await rig.value(f"SELECT count(*) FROM {service}.{table}")):
                found[f"{service} {table}"] = count
    return found


def _store(rig: Rig) -> Path:
    return rig.stack.folder.nats / "store"
