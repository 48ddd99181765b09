"""Cores and CPU time of processes, as the Linux kernel counts them."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import process_time_ns
from typing import Self

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
ROUNDS = 100_000
SAMPLE_SECONDS = 0.5
STATE, PARENT, OWN, REAPED = 0, 1, slice(11, 13), slice(13, 15)
"""Fields of /proc/<pid>/stat after the name of the program."""
BUSY, INTERRUPTS = slice(0, 3), slice(5, 8)
"""Fields of a core in /proc/stat: user, nice, system; irq, softirq, steal."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Where the system under test runs and where the load comes from."""

    system: tuple[int, ...]
    load: tuple[int, ...]

    @classmethod
    def divided(cls, available: Sequence[int]) -> Self:
        """Two for the system and a third for the load; on two cores both share them."""
        return cls(tuple(available[:2]), tuple(available[2:3] or available[:2]))

    @property
    def shared(self) -> bool:
        """Whether the load takes CPU from the system."""
        return bool(set(self.system) & set(self.load))


def available_cores() -> list[int]:
    """The cores that this process may use."""
    return sorted(os.sched_getaffinity(0))


@contextmanager
def children_on(cores: Sequence[int], afterwards: Sequence[int]) -> Iterator[None]:
    """Processes started inside the block from this thread stay on `cores`; we ourselves go to `afterwards`."""
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        for thread in Path("/proc/self/task").iterdir():
            os.sched_setaffinity(int(thread.name), afterwards)


def cpu_seconds(processes: Mapping[str, int]) -> dict[str, float]:
    """CPU time so far of each process with all its descendants, ended ones included, by name."""
    stats = dict(_stats())
    parents = {pid: int(fields[PARENT]) for pid, fields in stats.items()}
    found = {}
    for name, root in processes.items():
        family = [pid for pid in stats if _descends(pid, root, parents)]
        ticks = sum(_ticks(stats[pid][OWN]) for pid in family) + _ticks(stats[root][REAPED])
        found[name] = ticks / TICKS
    return found


def busy_seconds(cores: Sequence[int]) -> float:
    """CPU time that anybody used on these cores so far."""
    wanted = {f"cpu{core}" for core in cores}
    found = 0
    for line in (PROC / "stat").read_text().splitlines():
        name, *fields = line.split()
        if name in wanted:
            found += _ticks(fields[BUSY]) + _ticks(fields[INTERRUPTS])
    return found / TICKS


def nanoseconds_per_round() -> float:
    """CPU time of a round of a loop that never changes: how fast this machine is at this moment."""
    started, total = process_time_ns(), 0
    for number in range(ROUNDS):
        total += number
    return (process_time_ns() - started) / ROUNDS


@asynccontextmanager
async def sampled() -> AsyncIterator[Sequence[float]]:
    """Rounds of that loop, taken every half second until the block ends; the list grows."""
    rounds: list[float] = []

    async def sample() -> None:
        while True:
            rounds.append(nanoseconds_per_round())
            await asyncio.sleep(SAMPLE_SECONDS)

    sampling = asyncio.ensure_future(sample())
    try:
        yield rounds
    finally:
        sampling.cancel()


def spent(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """CPU seconds between two readings."""
    return {name: after[name] - before[name] for name in before}


def _stats() -> Iterator[tuple[int, list[str]]]:
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended while we looked
            yield int(entry.name), text.rpartition(")")[2].split()


def _descends(pid: int, root: int, parents: Mapping[int, int]) -> bool:
    while pid in parents:
        if pid == root:
            return True
        pid = parents[pid]
    return False


def _ticks(fields: Sequence[str]) -> int:
    return sum(map(int, fields))
