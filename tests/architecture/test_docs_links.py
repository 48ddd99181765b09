"""What the documents point at is there: files, headings, commands."""

import re
from functools import cache
from pathlib import Path

import pytest

from signalbox.main import COMMANDS
from tests.architecture.repository import ROOT, tracked

DOCUMENTS = tracked("*.md")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
COMMAND = re.compile(r"(?<![\w./-])(?:[\w./-]*/)?signalbox +([a-z][a-z-]*)")
PATH = re.compile(r"`((?:libs|services|signalbox|config|deploy|docs|tests|examples|benchmarks)/[\w./-]+?)(?:::\w+)?`")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_every_link_inside_the_repository_leads_somewhere(document: Path) -> None:
    text = FENCE.sub("", document.read_text(encoding="utf-8"))
    local = [link for link in LINK.findall(text) if "://" not in link and not link.startswith("mailto:")]
    dead = [link for link in local if not _leads_somewhere(document, link)]
    assert dead == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_every_file_that_is_named_by_its_path_exists(document: Path) -> None:
    named = PATH.findall(document.read_text(encoding="utf-8"))
    assert [path for path in named if not _is_ours(ROOT / path.rstrip("/"))] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_every_command_that_is_named_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    code = [*FENCE.findall(text), *CODE.findall(FENCE.sub("", text))]
    named = {command for piece in code for command in COMMAND.findall(piece)}
    assert named - COMMANDS.keys() == set()


def test_commands_are_found_where_they_are_named() -> None:
    assert COMMAND.findall(".venv/bin/signalbox up\nsignalbox parked list|show; signalbox_total 3") == ["up", "parked"]


def _leads_somewhere(document: Path, link: str) -> bool:
    path, _, heading = link.partition("#")
    target = (document.parent / path).resolve() if path else document
    if not _is_ours(target):
        return False
    return not heading or heading in _anchors(target)


def _is_ours(path: Path) -> bool:
    """A tracked file, or a folder of them: what only lies about here is nowhere else."""
    return path in _places()


@cache
def _places() -> frozenset[Path]:
    return frozenset(place for file in tracked() for place in (file, *file.parents))


def _anchors(document: Path) -> set[str]:
    headings = HEADING.findall(FENCE.sub("", document.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
