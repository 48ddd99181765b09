"""What an earlier stack may have left behind: process ids in files, and at worst the processes themselves."""

import os
import subprocess
from pathlib import Path

from libs.embedded.process import wait_until


def clear_stale(pid_file: Path, mark: str, *, end_by: int, timeout: float = 10.0) -> None:
    """Remove `pid_file`, after ending the process it names if that one is ours (its command line carries `mark`).

    A number that another program has got meanwhile is left alone. NotReady when our process will not go.
    """
    pid = _pid_in(pid_file)
    if pid is not None and is_ours(pid, mark):
        os.kill(pid, end_by)
        wait_until(lambda: not is_ours(pid, mark), timeout=timeout, what=f"process {pid} of an earlier run did not end")
    pid_file.unlink(missing_ok=True)


def is_ours(pid: int, mark: str) -> bool:
    """Is there a process `pid` whose command line carries `mark`?"""
    return mark in _command_line(pid)


def _pid_in(pid_file: Path) -> int | None:
    try:
        first, *_ = pid_file.read_text(encoding="utf-8").split()
        return int(first)
    except (FileNotFoundError, ValueError):
        return None


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self").exists():
            return ""
    ask = ["ps", "-o", "args=", "-p", str(pid)]
    seen = subprocess.run(ask, capture_output=True, text=True, check=False)  # noqa: S603 - a fixed question
    return seen.stdout
