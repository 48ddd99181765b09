"""Style, types and layers: the gates of the house, run as tests."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
CODE = ["libs", "services", "signalbox", "benchmarks", "tests"]


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["ruff", "check", *CODE], id="ruff check"),
        pytest.param(["ruff", "format", "--check", *CODE], id="ruff format"),
        pytest.param(["mypy"], id="mypy"),
        pytest.param(["lint-imports", "--no-cache"], id="import-linter"),
    ],
)
def test_gate(command: list[str]) -> None:
    run = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
