"""The repository speaks of Signalbox: of no machine it was written on, of no tool it was written with."""

import re
from pathlib import Path

import pytest

from tests.architecture.repository import ROOT, tracked

ELSEWHERE = {
    "a folder of one machine": r"(?<![\w.~])/(?:work|home/\w+|Users/\w+|root|mnt|tmp/j)/",
    "a neighbour of the checkout": r"\.\./shared",
    "a package index of one place": r"https?://(?!pypi\.org|files\.pythonhosted\.org)"
    r"[\w.-]*(?:pypi|registry|artifactory|nexus|devpi|goproxy|mirror)[\w.-]*",
    "who wrote it": r"(?i)\b(?:helper session|this session|sub-?agent|claude|anthropic|openai|chatgpt|copilot)\b"
    r"|co-authored-by|generated with",
    "a plan instead of a fact": r"\b(?:TODO|FIXME|XXX|HACK)\b",
}
ALLOWED = {
    ("tests/support/outside.py", "a neighbour of the checkout"),
    (".ci/run", "a neighbour of the checkout"),
}
"""Test data and base images that are not shipped, and said to be missing where they are."""
MYSELF = Path(__file__)


@pytest.mark.parametrize("what", ELSEWHERE)
def test_no_file_names(what: str) -> None:
    pattern = re.compile(ELSEWHERE[what])
    found = [
        f"{name}:{number}: {line.strip()[:120]}"
        for path in tracked()
        if path != MYSELF and ((name := str(path.relative_to(ROOT))), what) not in ALLOWED
        for number, line in enumerate(_lines(path), 1)
        if pattern.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("a folder of one machine", "see /home/ada/signalbox/x.py"),
        ("a neighbour of the checkout", "open('../shared/data')"),
        ("a package index of one place", "index-url = https://pypi.corp.example/simple"),
        ("who wrote it", "a helper session wrote this"),
        ("a plan instead of a fact", "# TODO later"),
    ],
)
def test_it_would_be_found(what: str, line: str) -> None:
    assert re.search(ELSEWHERE[what], line)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return []
