"""docs/behaviour.md, read: rules by id, with their state and their tests; and ids as code and tests write them."""

import re
from dataclasses import dataclass
from functools import cache

from tests.architecture.repository import ROOT

PAGE = ROOT / "docs" / "behaviour.md"
SECTIONS = "PSVLBWRTEAHMNCKFGQDIJ"
ROW = re.compile(rf"^\| ([{SECTIONS}]-\d+) \| (.+?) \| (.+) \| (.*) \|$", re.MULTILINE)
EXAMPLE = re.compile(r"^\| (V\d+) \|", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/.]+)::(\w+)`")
REASON = re.compile(r"(?:^|<br>)Not yet: \w.+$")
ID = re.compile(rf"(?<![\w-])([{SECTIONS}])-(\d{{1,2}})(?!\w)")
RANGE = re.compile(rf"(?<![\w-])([{SECTIONS}])-(\d{{1,2}}) to (?:\1-)?(\d{{1,2}})(?!\w)")
IN_A_NAME = re.compile(rf"([{SECTIONS}])(\d{{1,2}})")
DECISIONS = re.compile(r"(?i)\bdecisions (\d+[a-c]?(?:(?:, | and | to )\d+[a-c]?)*)")


@dataclass(frozen=True)
class Rule:
    """One row. tests: (file, test); is_reasoned: it says what is missing, and why."""

    id: str
    state: str
    tests: tuple[tuple[str, str], ...]
    is_reasoned: bool


@cache
def rows() -> tuple[Rule, ...]:
    """All rules in the order of the page."""
    page = PAGE.read_text(encoding="utf-8")
    return tuple(
        Rule(id, state, tuple(TEST.findall(proof)), REASON.search(proof) is not None)
        for id, state, _, proof in ROW.findall(page)
    )


@cache
def examples() -> frozenset[str]:
    """The worked examples: V1, V2, ..."""
    return frozenset(EXAMPLE.findall(PAGE.read_text(encoding="utf-8")))


def ids_in_words(words: str) -> set[str]:
    """Ids that a text cites, `L-3 to L-9` and `decisions 2 and 8b` among them."""
    found = {f"{section}-{number}" for section, number in ID.findall(words)}
    for section, first, last in RANGE.findall(words):
        found |= {f"{section}-{number}" for number in range(int(first), int(last) + 1)}
    for cited in DECISIONS.findall(words):
        found |= {f"D-{number}" for number in re.findall(r"\d+", cited)}
    return found


def ids_in_name(name: str) -> set[str]:
    """Ids that the name of a test begins with: `test_L13_L14_...`."""
    found = set()
    for part in name.split("_")[1:]:
        match = IN_A_NAME.fullmatch(part)
        if match is None:
            break
        found.add(f"{match[1]}-{match[2]}")
    return found
