"""The whole system as a user runs it: `signalbox up`, commands, `signalbox down`."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import open_folder

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class System:
    """A running stack and the commands of a person in front of it."""

    data: Path

    def signalbox(self, *arguments: str, timeout: float = 300) -> str:
        """A client command; its standard output. AssertionError with what it said when it fails."""
        return signalbox(*arguments, "--data", str(self.data), timeout=timeout)

    def lines(self, *arguments: str, timeout: float = 300) -> list[dict[str, Any]]:
        """The JSON lines that a command prints."""
        return [json.loads(line) for line in self.signalbox(*arguments, timeout=timeout).splitlines()]

    def document(self, *arguments: str, timeout: float = 300) -> dict[str, Any]:
        """The one JSON document that a command prints."""
        found: dict[str, Any] = json.loads(self.signalbox(*arguments, timeout=timeout))
        return found


def signalbox(*arguments: str, timeout: float = 300) -> str:
    """Run the command as a person does."""
    done = subprocess.run(
        [sys.executable, "-m", "signalbox", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"signalbox {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@contextmanager
def running_system(*options: str) -> Iterator[System]:
    """A fresh stack until the block ends."""
    with open_folder() as folder:
        data = folder / "data"
        try:
            signalbox("up", "--data", str(data), "--detach", *options)
            yield System(data)
        finally:
            signalbox("down", "--data", str(data))


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    """A stack that only this module uses."""
    with running_system() as running:
        yield running
