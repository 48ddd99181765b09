"""One service as a child process that never outlives the stack."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from time import monotonic

import httpx
import structlog

from libs.embedded.process import tied_to_parent

log = structlog.get_logger(__name__)

STOP_SECONDS = 10.0
PAUSE_SECONDS = 0.5
ROOT = Path(__file__).parents[2]


class ServiceChild:
    """`signalbox run NAME` with an environment of its own; started again when it dies. Start on the main thread."""

    def __init__(self, name: str, environment: Mapping[str, str], log_file: Path, url: str, label: str = "") -> None:
        self.name, self.url, self.label = name, url, label or name
        self._environment, self._log_file = environment, log_file
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return self._process.poll() if self._process is not None else None

    def start(self) -> None:
        """Launch; its output goes to the log file."""
        with self._log_file.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "signalbox", "run", self.name],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=ROOT,
                env={**os.environ, **self._environment},
                start_new_session=True,
                preexec_fn=tied_to_parent(signal.SIGKILL),
            )

    def signal(self, number: int) -> None:
        """Send a signal; nothing happens when it does not run."""
        if self._process is not None:
            self._process.send_signal(number)

    async def stop(self) -> None:
        """SIGTERM; SIGKILL after ten seconds, which is longer than any service may take."""
        if not self.running:
            return
        self.signal(signal.SIGTERM)
        if not await self.gone(STOP_SECONDS):
            log.error("service did not stop in time and was killed", service=self.label)
            self.signal(signal.SIGKILL)
            await self.gone(STOP_SECONDS)

    async def gone(self, seconds: float) -> bool:
        """Wait until the process has ended."""
        deadline = monotonic() + seconds
        while self.running and monotonic() < deadline:
            await asyncio.sleep(0.02)
        return not self.running

    async def is_ready(self, client: httpx.AsyncClient) -> bool:
        """Whether it answers 200 on /readyz."""
        try:
            return (await client.get(f"{self.url}/readyz", timeout=3)).status_code == 200
        except httpx.HTTPError:
            return False

    async def keep_running(self, stopping: asyncio.Event) -> None:
        """Start it again whenever it dies, until the stack stops."""
        while not stopping.is_set():
            if not self.running:
                log.warning("service died and is started again", service=self.label, exit_code=self.exit_code)
                self.start()
            await asyncio.sleep(PAUSE_SECONDS)

    def last_words(self, lines: int = 12) -> str:
        """The end of its log, for an error message."""
        text = self._log_file.read_text(errors="replace") if self._log_file.exists() else ""
        return "\n".join(text.splitlines()[-lines:])
