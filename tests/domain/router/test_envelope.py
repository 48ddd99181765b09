"""Whatever a person writes and whatever a ticket holds, the rule engine stays where it answers rightly."""

import gc
import os
import threading
from pathlib import Path
from random import Random

import pytest

from services.router.engine import RuleEngine
from services.router.network import Network
from tests.domain.router.ask import CONTEXT, fired, leaf, routing, rule, word

MANY = 1_000
EVERY_WORD = " ".join(f"w{at}" for at in range(5_000))


def test_a_thousand_keyword_rules_true_at_once() -> None:
    rules = [rule(f"r{at}", word(f"w{at}")) for at in range(MANY)]
    assert len(fired(rules, subject=EVERY_WORD)) == MANY
    assert fired(rules, subject="w7 w999") == ["r7", "r999"]


def test_a_thousand_denied_keyword_rules_true_at_once() -> None:
    rules = [rule(f"r{at}", {"not": word(f"w{at}")}) for at in range(MANY)]
    assert len(fired(rules)) == MANY
    assert len(fired(rules, subject="w7 w999")) == MANY - 2


@pytest.mark.parametrize("count", [58, 59, 60, 64, 65, 118, 119, 257, 513])
def test_any_number_of_rules_on_the_same_condition(count: int) -> None:
    rules = [rule(f"r{at}", leaf("category", "is", "billing"), salience=-at) for at in range(count)]
    assert fired(rules, category="billing") == [f"r{at}" for at in range(count)]
    assert fired(rules, category="sales") == []


@pytest.mark.parametrize("count", [64, 600])
def test_any_number_of_distinct_comparisons_of_one_field(count: int) -> None:
    not_equal = [rule(f"r{at}", leaf("category", "is_not", f"c{at}")) for at in range(count)]
    assert len(fired(not_equal, category="c5")) == count - 1
    greater = [rule(f"r{at}", leaf("human_replies", "greater_than", at)) for at in range(count)]
    assert len(fired(greater, human_replies=count)) == count
    assert len(fired(greater, human_replies=10)) == 10


def test_conjunctions_of_twenty_all_true() -> None:
    random = Random(1)
    rules = [rule(f"r{at}", {"all": [word(f"w{one}") for one in random.sample(range(190), 20)]}) for at in range(300)]
    assert len(fired(rules, subject=EVERY_WORD)) == 300


def test_a_rule_with_many_alternatives_fires_once() -> None:
    rules = [
        rule("few", {"any": [word("w1"), word("w2"), leaf("category", "is", "billing")]}),
        rule("many", {"any": [word(f"w{at}") for at in range(400)]}),
        rule("square", {"all": [{"any": [word(f"w{at + shift}") for at in range(9)]} for shift in range(9)]}),
    ]
    assert fired(rules, subject=EVERY_WORD, category="billing") == ["few", "many", "square"]
    assert fired(rules, subject="w399") == ["many"]
    assert fired(rules, subject="w8") == ["many", "square"]


def test_a_condition_and_its_denial_never_fire() -> None:
    rules = [
        rule("never", {"all": [word("w1"), {"not": word("w1")}]}),
        rule("always", {"any": [word("w1"), {"not": word("w1")}]}),
    ]
    assert fired(rules) == ["always"]
    assert fired(rules, subject="w1") == ["always"]


@pytest.mark.parametrize(
    "value", ["x" * 257, "x" * 65_536 + "billing", "billing" + "x" * 65_536, "billing\ud800", "\udfff"]
)
def test_long_and_broken_texts_equal_nothing(value: str) -> None:
    rules = [
        rule("is", leaf("category", "is", "billing")),
        rule("is-not", leaf("category", "is_not", "billing")),
        rule("set", leaf("category", "is_set")),
        rule("x", leaf("category", "is", "x" * 256)),
        rule("question-mark", leaf("category", "is", "billing?")),
    ]
    assert fired(rules, category=value) == ["is-not", "set"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2**53, ["is", "least"]),
        (2**53 + 1, ["is-not", "least"]),
        (10**400, ["is-not", "least"]),
        (-(10**400), ["is-not", "below"]),
        (None, ["is-not"]),
    ],
)
def test_whole_numbers_beyond_64_bits_compare_exactly(value: int | None, expected: list[str]) -> None:
    rules = [
        rule("is", leaf("human_replies", "is", 2**53)),
        rule("is-not", leaf("human_replies", "is_not", 2**53)),
        rule("least", leaf("human_replies", "at_least", 2**53)),
        rule("below", leaf("human_replies", "less_than", -(2**53))),
    ]
    assert fired(rules, human_replies=value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(float("nan"), ["is-not"]), (float("inf"), ["is-not", "more"]), (1e16, ["is-not", "more"]), (1e-7, ["is-not"])],
)
def test_numbers_that_the_engine_cannot_read_never_reach_it(value: float, expected: list[str]) -> None:
    rules = [
        rule("is", leaf("custom.weight", "is", 1.5)),
        rule("is-not", leaf("custom.weight", "is_not", 1.5)),
        rule("more", leaf("custom.weight", "greater_than", 1.5)),
    ]
    assert fired(rules, custom={"weight": value}) == expected


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the memory of the process from /proc")
def test_a_hundred_reloads_keep_the_memory_flat() -> None:
    rules = routing(
        assignment=[rule(f"r{at}", {"all": [word(f"w{at}"), leaf("category", "is", f"c{at % 7}")]}) for at in range(60)]
    )
    facts = {"subject": "w5 w12 w19", "category": "c5"}

    def reload(times: int) -> None:
        for _ in range(times):
            engine = RuleEngine(rules)
            for _ in range(100):
                assert engine.decide(facts, CONTEXT).fired == ("r5", "r12", "r19")
            engine.close()
        gc.collect()

    reload(25)
    before = resident_bytes()
    reload(100)
    assert resident_bytes() - before < 8 * 2**20


def test_threads_share_one_engine() -> None:
    engine = RuleEngine(routing(assignment=[rule(f"r{at}", word(f"w{at}")) for at in range(40)]))
    wrong: list[object] = []

    def ask(own: int) -> None:
        for _ in range(300):
            decision = engine.decide({"subject": f"w{own} w{own + 20}"}, CONTEXT)
            if decision.fired != (f"r{own}", f"r{own + 20}") or decision.by_reference:
                wrong.append(decision)

    threads = [threading.Thread(target=ask, args=(own,)) for own in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.close()
    assert wrong == []


def test_the_library_starts_no_threads() -> None:
    before = threading.active_count()
    engine = RuleEngine(routing(assignment=[rule("r")]))
    assert threading.active_count() == before
    engine.close()


def test_a_network_without_rules_answers() -> None:
    empty = Network([])
    empty.close()
    assert fired([]) == []
