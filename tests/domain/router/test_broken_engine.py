"""A rule engine that breaks is built anew, stood in for, and never answers wrongly."""

import durable_rules_engine
import pytest

from libs.conditions.reading import Context
from services.router import network
from services.router.engine import RETRY_AFTER, RuleEngine
from services.router.network import EngineBroken
from tests.domain.router.ask import CONTEXT, NOW, leaf, routing, rule


class Failing:
    """Stands where a network stands and breaks the first `times` questions."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.answer = network._run

    def __call__(self, handle: object, fact: str) -> list[str]:
        if '"k":"t"' in fact and self.left > 0:
            self.left -= 1
            raise EngineBroken("told to")
        return self.answer(handle, fact)


@pytest.fixture
def engine() -> RuleEngine:
    return RuleEngine(routing(assignment=[rule("billing", leaf("category", "is", "billing")), rule("always")]))


BILLING = {"category": "billing"}


def test_a_broken_engine_is_rebuilt_and_asked_again(engine: RuleEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "_run", Failing(1))
    decision = engine.decide(BILLING, CONTEXT)
    assert decision.fired == ("billing", "always")
    assert not decision.by_reference
    assert engine.triage.health.rebuilds + engine.assignment.health.rebuilds == 1
    engine.close()


def test_an_engine_that_breaks_twice_is_stood_in_for_and_tried_again_later(
    engine: RuleEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "_run", Failing(2))
    first = engine.decide(BILLING, CONTEXT)
    assert first.fired == ("billing", "always")
    assert first.by_reference
    assert engine.assignment.health.degraded
    answers = [engine.decide(BILLING, CONTEXT) for _ in range(RETRY_AFTER)]
    assert {answer.fired for answer in answers} == {("billing", "always")}
    assert answers[0].by_reference
    assert not answers[-1].by_reference
    assert not engine.assignment.health.degraded
    engine.close()


def test_a_fact_that_stayed_behind_is_noticed() -> None:
    engine = RuleEngine(routing(assignment=[rule("always")]))
    shard = engine.assignment._network._shards[0]
    durable_rules_engine.assert_fact(shard.handle, '{"id": "T", "k": "t"}')
    decision = engine.decide({}, CONTEXT)
    assert decision.fired == ("always",)
    assert engine.assignment.health.rebuilds == 1
    engine.close()


def test_a_closed_engine_is_answered_for_by_the_reference(engine: RuleEngine) -> None:
    engine.close()
    decision = engine.decide(BILLING, CONTEXT)
    assert decision.fired == ("billing", "always")
    assert decision.by_reference


def test_an_interrupted_network_refuses_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(handle: object, fact: str) -> list[str]:
        raise KeyboardInterrupt

    engine = RuleEngine(routing(assignment=[rule("always")]))
    with monkeypatch.context() as patch:
        patch.setattr(network, "_run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            engine.decide({}, CONTEXT)
    assert engine.decide({}, Context(now=NOW)).fired == ("always",)
    assert engine.assignment.health.rebuilds == 1
    engine.close()
