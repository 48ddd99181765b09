"""One trial: a load on a running system, from the first event until reporting has counted the last ticket."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import nats
from nats.aio.client import Client
from pydantic_core import from_json, to_json

from benchmarks.pipeline.load import BROKER, DONE, ORDER, READY, RESULT, STORED, Delivery, Order
from benchmarks.pipeline.machine import Cores, busy_seconds, cpu_seconds, nanoseconds_per_round, spent
from benchmarks.pipeline.system import System
from benchmarks.pipeline.wait import notices_sent, until_done

ROOT = Path(__file__).parents[2]
SAMPLE_SECONDS = 0.5


class TrialFailed(Exception):
    """The load could not be generated."""


@dataclass(frozen=True, slots=True)
class Trial:
    """cpu: seconds by process over the whole trial. load_cpu and load_seconds: while the load came in.

    strangers: share of the system's cores that others took. round_ns: how fast the machine was meanwhile, as the CPU
    time of one round of a fixed loop, the median of samples on the load's core.
    """

    order: Order
    delivery: Delivery
    cpu: dict[str, float]
    load_cpu: dict[str, float]
    load_seconds: float
    finished: bool
    strangers: float
    round_ns: float

    @property
    def busy(self) -> float:
        """Share of two cores that was used while the load came in."""
        return sum(self.load_cpu.values()) / (2 * self.load_seconds)


async def run_trial(system: System, order: Order, cores: Cores, patience: float = 40.0) -> Trial:
    """Publish what is ordered and wait until everything is counted, or nothing moves for `patience` seconds."""
    client = await nats.connect(system.admin)
    try:
        return await _measured(system, order, cores, client, patience)
    finally:
        await client.close()


async def _measured(system: System, order: Order, cores: Cores, client: Client, patience: float) -> Trial:
    expected = await notices_sent(client) + order.tickets
    async with _generator(system, order, cores) as generator:
        samples: list[float] = []
        sampling = asyncio.ensure_future(_sample(samples))
        before, busy, started = cpu_seconds(system.processes), busy_seconds(cores.system), time.monotonic()
        await generator.publish()
        loaded, load_seconds = cpu_seconds(system.processes), time.monotonic() - started
        finished = await until_done(client, expected, patience)
        after, seconds = cpu_seconds(system.processes), time.monotonic() - started
        others = busy_seconds(cores.system) - busy - sum(spent(before, after).values())
        sampling.cancel()
        delivery = await generator.delivery()
    return Trial(
        order,
        delivery,
        cpu=spent(before, after),
        load_cpu=spent(before, loaded),
        load_seconds=load_seconds,
        finished=finished,
        strangers=round(max(0.0, others) / (len(cores.system) * seconds), 3),
        round_ns=round(median(samples), 1),
    )


class RunningGenerator:
    """The load generator's process, ready to publish."""

    def __init__(self, process: asyncio.subprocess.Process, result: Path) -> None:
        self._process, self._result = process, result

    async def publish(self) -> None:
        """Have it publish; returns when the stream has everything."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"go\n")
        await self.hear(STORED)

    async def delivery(self) -> Delivery:
        """What it published."""
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
async def _generator(system: System, order: Order, cores: Cores) -> AsyncIterator[RunningGenerator]:
    with TemporaryDirectory(prefix="signalbox-load-") as folder:
        result = Path(folder) / "delivery.json"
        variables = {BROKER: system.source, ORDER: to_json(asdict(order)).decode(), RESULT: str(result)}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "benchmarks.pipeline.load"),
            cwd=ROOT,
            env={**os.environ, **variables},
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
