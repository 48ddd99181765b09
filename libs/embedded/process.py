"""Child processes that never outlive their parent."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from libs.embedded.errors import CannotRun, NotReady

PR_SET_PDEATHSIG = 1
LOG_LIMIT = 10 * 1024 * 1024
POLL_SECONDS = 0.01
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class User:
    """Whom a child runs as."""

    name: str
    uid: int
    gid: int


class Child:
    """One server process: its output goes to a log file, and it dies with us (Linux), even of kill -9.

    It sits in a session of its own, so that Ctrl-C in a terminal reaches us alone and we stop it in our order.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: Path, log_start: int) -> None:
        self._process = process
        self._log = log
        self._log_start = log_start

    @classmethod
    def launch(
        cls, command: Sequence[str], *, log: Path, user: User | None = None, death_signal: int = signal.SIGKILL
    ) -> Self:
        """Start `command`; CannotRun when the system refuses, or when called outside the main thread.

        Linux sends `death_signal` when the starting *thread* ends; the main thread ends last.
        """
        if threading.current_thread() is not threading.main_thread():
            raise CannotRun("servers are started from the main thread only: they die with the thread that starts them")
        if log.exists() and log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_name(f"{log.name}.1"))
        with log.open("ab") as output:
            start = output.seek(0, os.SEEK_END)
            process = spawn(command, output=output.fileno(), user=user, death_signal=death_signal)
        return cls(process, log, start)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Has it not ended yet?"""
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative is the number of the signal that ended it."""
        return self._process.poll()

    def output(self) -> str:
        """What it has logged since its launch."""
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def signal(self, number: int) -> None:
        """Send a signal; nothing happens when it has ended."""
        self._process.send_signal(number)

    def end(self, number: int, timeout: float) -> None:
        """Ask it to end by signal `number`; after `timeout` seconds kill it. Returns when it is gone."""
        self.signal(number)
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def spawn(command: Sequence[str], *, output: int, user: User | None, death_signal: int) -> subprocess.Popen[bytes]:
    """A process tied to the life of this thread; CannotRun when the system refuses to start it."""
    try:
        return subprocess.Popen(  # noqa: S603 - the callers' own programs
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=ENVIRONMENT,
            start_new_session=True,
            preexec_fn=tied_to_parent(death_signal),
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        whom = f" as user {user.name}" if user else ""
        raise CannotRun(f"cannot start {command[0]}{whom}: {error}") from error


def wait_until(reached: Callable[[], bool], *, timeout: float, what: str) -> None:
    """Look every 10 ms; NotReady naming `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not reached():
        if time.monotonic() > deadline:
            raise NotReady(f"{what} within {timeout:g} s")
        time.sleep(POLL_SECONDS)


def tied_to_parent(death_signal: int) -> Callable[[], None] | None:
    """What a child runs before its program so that it gets `death_signal` when this thread ends; None off Linux."""
    if _libc is None:
        return None
    parent = os.getpid()

    def tie() -> None:
        assert _libc is not None
        # the second look closes the gap in which the parent dies before the kernel knows what to do then
        if _libc.prctl(PR_SET_PDEATHSIG, death_signal) != 0 or os.getppid() != parent:
            os._exit(127)

    return tie
