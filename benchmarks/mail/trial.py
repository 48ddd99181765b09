"""One trial: mails by one door, from the first until everybody has heard what became of the last."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import nats
from pydantic_core import from_json, to_json

from benchmarks.generated_mails import Generated
from benchmarks.mail.order import DONE, ORDER, READY, RESULT, Delivery, DoorName, Order
from benchmarks.pipeline.machine import Cores, busy_seconds, cpu_seconds, nanoseconds_per_round, spent
from benchmarks.pipeline.system import System
from benchmarks.pipeline.trial import ROOT, SAMPLE_SECONDS, TrialFailed
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
        async with _generator(system, mails, door, cores) as generator:
            samples: list[float] = []
            sampling = asyncio.ensure_future(_sample(samples))
            before, busy, started = cpu_seconds(system.processes), busy_seconds(cores.system), time.monotonic()
            delivery = await generator.send()
            finished = await until_said(client, SETTLED, expected, patience)
            cpu, seconds = spent(before, cpu_seconds(system.processes)), time.monotonic() - started
            others = busy_seconds(cores.system) - busy - sum(cpu.values())
            sampling.cancel()
    finally:
        await client.close()
    strangers = max(0.0, others) / (len(cores.system) * seconds)
    return Trial(mails, delivery, cpu, finished, round(strangers, 3), round(median(samples), 1))


async def send_again(system: System, mails: Sequence[Generated], door: DoorName, cores: Cores) -> None:
    """Send what was sent before."""
    async with _generator(system, mails, door, cores) as generator:
        await generator.send()


class RunningGenerator:
    """The load generator's process, ready to send."""

    def __init__(self, process: asyncio.subprocess.Process, result: Path) -> None:
        self._process, self._result = process, result

    async def send(self) -> Delivery:
        """Have it send; returns when every mail was answered."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"go\n")
        await self.hear(DONE)
        return Delivery(**from_json(self._result.read_bytes()))

    async def hear(self, line: str) -> None:
        """Wait for a line; TrialFailed with its last words if something else comes."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        if (await self._process.stdout.readline()).decode().strip() != line:
            words = (await self._process.stderr.read()).decode()[-2000:]
            raise TrialFailed(f"the load generator failed: {words}")


@asynccontextmanager
async def _generator(
    system: System, mails: Sequence[Generated], door: DoorName, cores: Cores
) -> AsyncIterator[RunningGenerator]:
    with TemporaryDirectory(prefix="signalbox-load-") as folder:
        written, result = Path(folder) / "mails", Path(folder) / "delivery.json"
        written.write_bytes(framed(mail.raw for mail in mails))
        order = Order(door, str(written), "127.0.0.1", system.smtp_port, system.intake, system.token, MAILBOX)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "benchmarks.mail.load"),
            cwd=ROOT,
            env={**os.environ, ORDER: to_json(asdict(order)).decode(), RESULT: str(result)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            os.sched_setaffinity(process.pid, cores.load)
            generator = RunningGenerator(process, result)
            await generator.hear(READY)
            yield generator
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _sample(into: list[float]) -> None:
    while True:
        into.append(nanoseconds_per_round())
        await asyncio.sleep(SAMPLE_SECONDS)
