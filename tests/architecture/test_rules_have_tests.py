"""docs/behaviour.md, the code and the tests speak of the same rules."""

from collections import Counter
from pathlib import Path

import pytest

from tests.architecture.repository import ROOT, proofs_in, tracked
from tests.architecture.rule_page import Rule, examples, ids_in_name, ids_in_words, rows

KNOWN = {rule.id for rule in rows()}
PROVED_BY_WHAT_THEY_SHOW = "D"
"""Sections whose tests need not carry the id: many were there before the page numbered them."""


def test_every_rule_is_there_once() -> None:
    assert [id for id, times in Counter(rule.id for rule in rows()).items() if times > 1] == []
    assert len(rows()) > 100


@pytest.mark.parametrize("rule", rows(), ids=lambda rule: rule.id)
def test_a_rule_says_what_proves_it_or_why_nothing_does(rule: Rule) -> None:
    expected = {"kept": (True, False), "partly": (True, True), "not yet": (False, True)}
    assert (bool(rule.tests), rule.is_reasoned) == expected[rule.state]


@pytest.mark.parametrize("rule", [rule for rule in rows() if rule.tests], ids=lambda rule: rule.id)
def test_every_test_that_a_rule_names_exists(rule: Rule) -> None:
    missing = [
        f"{file}::{test}"
        for file, test in rule.tests
        if not (ROOT / file).is_file() or test not in proofs_in(ROOT / file)
    ]
    assert missing == []


@pytest.mark.parametrize(
    "rule",
    [rule for rule in rows() if rule.tests and rule.id[0] not in PROVED_BY_WHAT_THEY_SHOW],
    ids=lambda rule: rule.id,
)
def test_a_rule_that_is_kept_is_named_by_one_of_its_tests(rule: Rule) -> None:
    proofs = [proofs_in(ROOT / file)[test] for file, test in rule.tests]
    named = set[str]().union(*(ids_in_name(proof.name) | ids_in_words(proof.words) for proof in proofs))
    assert rule.id in named


@pytest.mark.parametrize("folder", ["libs", "services", "signalbox", "config", "docs", "deploy"])
def test_every_rule_that_is_cited_is_on_the_page(folder: str) -> None:
    files = [path for path in tracked(folder) if path.suffix in (".py", ".yaml", ".yml", ".md")]
    assert files
    unknown = {_short(path): found for path in files if (found := ids_in_words(_words(path)) - KNOWN)}
    assert unknown == {}


def test_every_rule_that_a_test_is_named_after_is_on_the_page() -> None:
    known = KNOWN | {f"V-{example[1:]}" for example in examples()}
    unknown = {
        f"{_short(path)}::{name}": found
        for path in tracked("tests")
        if path.name.startswith("test_") and path.suffix == ".py"
        for name in proofs_in(path)
        if (found := ids_in_name(name) - known)
    }
    assert unknown == {}


def _words(path: Path) -> str:
    """A file's text with its lines joined, for ids are also cited across the end of one."""
    return " ".join(path.read_text(encoding="utf-8").split())


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT))
