"""One trial: a load on a running system, from the first event until reporting has counted the last ticket."""

import time
from dataclasses import asdict, dataclass
from statistics import median

import nats
from nats.aio.client import Client
from pydantic_core import from_json, to_json

from benchmarks.pipeline.generator import running_generator
from benchmarks.pipeline.load import BROKER, DONE, ORDER, READY, RESULT, STORED, Delivery, Order
from benchmarks.pipeline.machine import Cores, busy_seconds, cpu_seconds, sampled, spent
from benchmarks.pipeline.system import System
from benchmarks.pipeline.wait import notices_sent, until_done


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
    variables = {BROKER: system.source, ORDER: to_json(asdict(order)).decode()}
    async with (
        running_generator("benchmarks.pipeline.load", variables, cores, ready=READY, result=RESULT) as generator,
        sampled() as rounds,
    ):
        before, busy, started = cpu_seconds(system.processes), busy_seconds(cores.system), time.monotonic()
        generator.go()
        await generator.hear(STORED)
        loaded, load_seconds = cpu_seconds(system.processes), time.monotonic() - started
        finished = await until_done(client, expected, patience)
        after, seconds = cpu_seconds(system.processes), time.monotonic() - started
        others = busy_seconds(cores.system) - busy - sum(spent(before, after).values())
        await generator.hear(DONE)
        delivery = Delivery(**from_json(generator.result()))
    return Trial(
        order,
        delivery,
        cpu=spent(before, after),
        load_cpu=spent(before, loaded),
        load_seconds=load_seconds,
        finished=finished,
        strangers=round(max(0.0, others) / (len(cores.system) * seconds), 3),
        round_ns=round(median(rounds), 1),
    )
