"""The repository as its own tests see it: what is tracked, and what tests are called."""

import ast
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Proof:
    """One test: its name, and everything that says what it proves."""

    name: str
    words: str


@cache
def tracked(*patterns: str) -> tuple[Path, ...]:
    """Files under version control, those that were deleted meanwhile left out."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        reason = "NO REPOSITORY: this is not a checkout, so nothing tells which files belong to it"
        pytest.skip(reason, allow_module_level=True)
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return tuple(path for path in paths if path.is_file())


@cache
def proofs_in(path: Path) -> dict[str, Proof]:
    """The tests of a file by name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    about = ast.get_docstring(tree) or ""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {
        function.name: Proof(function.name, f"{about}\n{ast.get_docstring(function) or ''}")
        for function in functions
        if function.name.startswith("test")
    }
