"""The life of an embedded server: prepare, launch, wait until ready, stop; and the same for two at once."""

import asyncio
import signal
import time
from abc import ABC, abstractmethod

from libs.embedded.data_folder import DataFolder
from libs.embedded.errors import CannotRun, NotReady, TryAgain
from libs.embedded.process import Child

READY_SECONDS = 30.0
STOP_SECONDS = 20.0
PATIENCE_SECONDS = 15.0
PAUSE_SECONDS = 0.1
LOG_LINES = 8


class EmbeddedServer(ABC):
    """A server that is our own child, on its own part of a claimed data folder.

    `start` may block for a second or two; async callers use the twins ending in `_async`, which never hold the loop
    for longer than it takes to fork. Starting happens on the main thread (CannotRun otherwise). After `kill` or a
    crash, `restart` brings it back on the same address with its data.
    """

    stop_signal: signal.Signals
    name: str

    def __init__(self, folder: DataFolder) -> None:
        self.folder = folder
        self._child: Child | None = None

    @abstractmethod
    def prepare(self) -> None:
        """Make files and folders, clear what an earlier run left. Any thread."""

    @abstractmethod
    def launch(self) -> None:
        """Start the process. Main thread only."""

    @abstractmethod
    def wait_ready(self, timeout: float = READY_SECONDS) -> None:
        """Return once it serves and has proven to be ours; NotReady, TryAgain or WrongServer otherwise. Any thread."""

    @property
    def pid(self) -> int:
        """The process id; NotReady when it was never started."""
        return self.child.pid

    @property
    def child(self) -> Child:
        """The process of the latest launch."""
        if self._child is None:
            raise NotReady(f"{self.name} was not started")
        return self._child

    @property
    def running(self) -> bool:
        """Is there a process?"""
        return self._child is not None and self._child.running

    def start(self) -> None:
        """Prepare, launch and wait until ready; reasons that pass by themselves are tried again for 15 s."""
        self.begin()
        self.settle()

    async def start_async(self) -> None:
        """`start` for a running event loop."""
        await self.begin_async()
        await self.settle_async()

    def stop(self) -> None:
        """End it in good order; killed after 20 s. Nothing happens when it does not run."""
        if self.running:
            self.child.end(self.stop_signal, STOP_SECONDS)

    def kill(self) -> None:
        """kill -9, as a crash would."""
        if self.running:
            self.child.end(signal.SIGKILL, STOP_SECONDS)

    def restart(self) -> None:
        """Stop, if it runs, and start on the same address."""
        self.stop()
        self.start()

    async def restart_async(self) -> None:
        """`restart` for a running event loop."""
        await asyncio.to_thread(self.stop)
        await self.start_async()

    def begin(self) -> None:
        """The first half of `start`: a process is there, not yet ready."""
        self.require_startable()
        self.prepare()
        self.launch()

    async def begin_async(self) -> None:
        """`begin` for a running event loop."""
        self.require_startable()
        await asyncio.to_thread(self.prepare)
        self.launch()

    def settle(self) -> None:
        """The second half of `start`: ready, if need be by beginning again."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (trouble := self._trouble()) is not None:
            if time.monotonic() > deadline:
                raise trouble
            time.sleep(PAUSE_SECONDS)
            self.begin()

    async def settle_async(self) -> None:
        """`settle` for a running event loop."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (trouble := await asyncio.to_thread(self._trouble)) is not None:
            if time.monotonic() > deadline:
                raise trouble
            await asyncio.sleep(PAUSE_SECONDS)
            await self.begin_async()

    def require_startable(self) -> None:
        """CannotRun unless the folder is claimed and no process runs."""
        if not self.folder.lock.held:
            raise CannotRun(f"claim {self.folder.path} before starting {self.name} in it")
        if self.running:
            raise CannotRun(f"{self.name} runs already as process {self.pid}")

    def ended(self) -> NotReady:
        """The error that tells why the process is gone, with the end of its log."""
        lines = self.child.output().strip().splitlines()[-LOG_LINES:]
        return NotReady("\n".join([f"{self.name} ended with code {self.child.exit_code}", *lines]))

    def _trouble(self) -> TryAgain | None:
        try:
            self.wait_ready()
        except TryAgain as trouble:
            self.kill()
            return trouble
        except BaseException:
            self.kill()
            raise
        return None


def start_both(first: EmbeddedServer, second: EmbeddedServer) -> None:
    """Start two servers side by side; when one fails, neither is left running. Give the quicker one first."""
    try:
        first.begin()
        second.begin()
        first.settle()
        second.settle()
    except BaseException:
        stop_both(first, second)
        raise


async def start_both_async(first: EmbeddedServer, second: EmbeddedServer) -> None:
    """`start_both` for a running event loop."""
    try:
        await first.begin_async()
        await second.begin_async()
        await first.settle_async()
        await second.settle_async()
    except BaseException:
        await asyncio.to_thread(stop_both, first, second)
        raise


def stop_both(first: EmbeddedServer, second: EmbeddedServer) -> None:
    """Stop both, side by side, each in good order."""
    for server in (first, second):
        if server.running:
            server.child.signal(server.stop_signal)
    first.stop()
    second.stop()
