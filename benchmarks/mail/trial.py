"""One trial: mails by one door, from the first until everybody has heard what became of the last."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from statistics import median
from tempfile import NamedTemporaryFile

import nats
from pydantic_core import from_json, to_json

from benchmarks.generated_mails import Generated
from benchmarks.mail.order import DONE, ORDER, READY, RESULT, Delivery, DoorName, Order
from benchmarks.pipeline.generator import Generator, running_generator
from benchmarks.pipeline.machine import Cores, busy_seconds, cpu_seconds, sampled, spent
from benchmarks.pipeline.system import System
from benchmarks.pipeline.wait import said, until_said
from services.intake.mail_frames import framed

MAILBOX = "help@support.example.com"
SETTLED = ("tickets.*.opened", "tickets.*.message-added")
"""What is said once of every mail that is new."""


@dataclass(frozen=True, slots=True)
class Trial:
    """cpu: seconds by process until everything was heard. strangers: share of the system's cores that others took.
    round_ns: how fast the machine was meanwhile, as the CPU time of a round of a fixed loop.
    """

    mails: Sequence[Generated]
    delivery: Delivery
    cpu: dict[str, float]
    finished: bool
    strangers: float
    round_ns: float


async def run_trial(
    system: System, mails: Sequence[Generated], door: DoorName, cores: Cores, patience: float = 40.0
) -> Trial:
    """Send mails that are new and wait until all is said and heard, or nothing moves for `patience` seconds."""
    client = await nats.connect(system.admin)
    try:
        expected = await said(client, SETTLED) + len(mails)
        async with _generator(system, mails, door, cores) as generator, sampled() as rounds:
            before, busy, started = cpu_seconds(system.processes), busy_seconds(cores.system), time.monotonic()
            delivery = await _sent(generator)
            finished = await until_said(client, SETTLED, expected, patience)
            cpu, seconds = spent(before, cpu_seconds(system.processes)), time.monotonic() - started
            others = busy_seconds(cores.system) - busy - sum(cpu.values())
    finally:
        await client.close()
    strangers = max(0.0, others) / (len(cores.system) * seconds)
    return Trial(mails, delivery, cpu, finished, round(strangers, 3), round(median(rounds), 1))


async def send_again(system: System, mails: Sequence[Generated], door: DoorName, cores: Cores) -> None:
    """Send what was sent before."""
    async with _generator(system, mails, door, cores) as generator:
        await _sent(generator)


@asynccontextmanager
async def _generator(
    system: System, mails: Sequence[Generated], door: DoorName, cores: Cores
) -> AsyncIterator[Generator]:
    with NamedTemporaryFile(prefix="signalbox-mails-") as written:
        written.write(framed(mail.raw for mail in mails))
        written.flush()
        order = Order(door, written.name, "127.0.0.1", system.smtp_port, system.intake, system.token, MAILBOX)
        variables = {ORDER: to_json(asdict(order)).decode()}
        async with running_generator("benchmarks.mail.load", variables, cores, ready=READY, result=RESULT) as generator:
            yield generator


async def _sent(generator: Generator) -> Delivery:
    """Have it send; returns when every mail was answered."""
    generator.go()
    await generator.hear(DONE)
    return Delivery(**from_json(generator.result()))
