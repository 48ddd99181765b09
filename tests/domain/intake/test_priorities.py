"""Words for priorities (behaviour P-0)."""

import pytest

from libs.conditions.fields import PRIORITIES, PRIORITY_ALIASES
from services.intake.api.bodies import PriorityWord, priority
from services.router.assignment.ticket import priority_rank
from services.router.rules import TriageThen


@pytest.mark.parametrize(("word", "meant"), [("urgent", "critical"), ("normal", "medium"), ("low", "low")])
def test_P0_other_words_for_priorities_mean_the_same_over_http_and_in_rules(word: PriorityWord, meant: str) -> None:
    assert priority(word) == meant
    assert TriageThen.model_validate({"priority": word}).priority == meant


def test_P0_there_are_four_priorities_in_one_order_and_an_unset_one_comes_last() -> None:
    ranks = [priority_rank(one) for one in (None, *PRIORITIES)]
    assert ranks == sorted(set(ranks))
    assert PRIORITIES == ("low", "medium", "high", "critical")
    assert set(PRIORITY_ALIASES.values()) <= set(PRIORITIES)
