"""The process a load comes from: it says a line when it is ready, is told to go, and leaves its result in a file."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.pipeline.machine import Cores

ROOT = Path(__file__).parents[2]
LAST_WORDS = 2_000


def signal(line: str) -> None:
    """In the process itself: say a line to whoever started it."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class TrialFailed(Exception):
    """The load could not be generated."""


class Generator:
    """A process that is ready; its result is in the file once it has said so."""

    def __init__(self, process: asyncio.subprocess.Process, result: Path) -> None:
        self._process, self._result = process, result

    def go(self) -> None:
        """It begins."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"go\n")

    async def hear(self, line: str) -> None:
        """Wait for a line; TrialFailed with its last words if something else comes."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        if (await self._process.stdout.readline()).decode().strip() != line:
            words = (await self._process.stderr.read()).decode()[-LAST_WORDS:]
            raise TrialFailed(f"the load generator failed: {words}")

    def result(self) -> bytes:
        """What it wrote."""
        return self._result.read_bytes()


@asynccontextmanager
async def running_generator(
    module: str, variables: Mapping[str, str], cores: Cores, *, ready: str, result: str
) -> AsyncIterator[Generator]:
    """Start `python -m module` on the load's cores and wait for its line `ready`. result: the variable that names the
    file for its result."""
    with TemporaryDirectory(prefix="signalbox-load-") as folder:
        file = Path(folder) / "delivery.json"
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", module),
            cwd=ROOT,
            env={**os.environ, **variables, result: str(file)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            os.sched_setaffinity(process.pid, cores.load)
            generator = Generator(process, file)
            await generator.hear(ready)
            yield generator
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
