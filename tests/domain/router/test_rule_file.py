"""What routing.yaml may not say, and where the refusal points."""

from pathlib import Path

import pytest

from libs.conditions.marked_yaml import ConfigurationError
from services.router.rule_file import load_rules, read_rules

VALID = """\
triage:
  - id: vip
    when: {field: tier, operator: is, value: vip}
    then: {priority: high}
assignment:
  - id: billing
    salience: 5
    when:
      all:
        - {field: subject, operator: word, value: refund}
        - not: {field: spam, operator: is, value: true}
    then: {queue: billing}
fallback: {queue: general}
"""


def refusal(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read_rules(text)
    return str(caught.value).splitlines()


def test_a_valid_file() -> None:
    rules = read_rules(VALID)
    assert [rule.id for rule in rules.triage + rules.assignment] == ["vip", "billing"]
    assert rules.fingerprint == read_rules(VALID).fingerprint
    assert rules.fingerprint != read_rules(VALID.replace("salience: 5", "salience: 6")).fingerprint


def test_R0_a_file_without_a_fallback_is_refused() -> None:
    text = VALID.replace("fallback: {queue: general}\n", "")
    assert refusal(text) == [
        "routing.yaml:1 fallback - is missing: a ticket that no rule routes must go somewhere; allowed: queue: KEY"
    ]
    assert refusal(VALID.replace("{queue: general}", "{strategy: balanced}")) == [
        "routing.yaml:13 fallback.queue - is missing"
    ]


REFUSED = [
    ("value: vip}", "value: 5}", "routing.yaml:3 triage[0].when.value (tier) - 5 does not suit a key; allowed: text"),
    (
        "field: tier",
        "field: teir",
        "routing.yaml:3 triage[0].when.field (teir) - there is no field 'teir'; allowed: tier",
    ),
    ("operator: word", "operator: is", "routing.yaml:10 assignment[0].when.all[0].operator (subject) - 'is' does not"),
    ("value: true", "value: yes please", "routing.yaml:11 assignment[0].when.all[1].not.value (spam) - 'yes please'"),
    ("salience: 5", "salience: 10001", "routing.yaml:7 assignment[0].salience - Input should be less than or equal to"),
    ("salience: 5", "salience: high", "routing.yaml:7 assignment[0].salience - Input should be a valid integer"),
    ("salience: 5", "saliense: 5", "routing.yaml:7 assignment[0].saliense - is not known here"),
    ("id: billing", "id: vip", "routing.yaml:6 assignment[0].id - the rule id 'vip' is taken"),
    ("id: billing", "id: fallback", "routing.yaml:6 assignment[0].id - the rule id 'fallback' is taken"),
    ("id: billing", "id: Über", "routing.yaml:6 assignment[0].id - String should match pattern"),
    (
        "{priority: high}",
        "{priority: huge}",
        "routing.yaml:4 triage[0].then.priority - 'huge' is no priority; allowed: low",
    ),
    ("{priority: high}", "{queue: billing}", "routing.yaml:4 triage[0].then.queue - is not known here"),
    ("{priority: high}", "{}", "routing.yaml:4 triage[0].then - does nothing; allowed: category, priority"),
    (
        "{queue: billing}",
        "{strategy: random}",
        "then.strategy - 'random' is not one of the choices; allowed: round_robin",
    ),
    (
        "{queue: billing}",
        "{optional_skills: [{skills: [a], drop_after: 15}]}",
        "then.optional_skills[0].drop_after - 15 is no span of time; allowed: such as 90s, 15m",
    ),
    ("{queue: billing}", "{queue: ''}", "routing.yaml:12 assignment[0].then.queue - String should match pattern"),
    ("value: vip}", "value: $me}", "$me cannot be used with tier is"),
    (
        "field: tier, operator: is, value: vip",
        "field: assignee, operator: is, value: $me",
        "$me means nothing in a rule",
    ),
    ("{queue: general}", "{queue: general, queue: sales}", "routing.yaml:13 fallback.queue - is written twice"),
    ("{queue: general}", "{queue: general", "routing.yaml:14 is not YAML"),
]


@pytest.mark.parametrize(("old", "new", "reason"), REFUSED)
def test_refused_with_line_place_and_reason(old: str, new: str, reason: str) -> None:
    assert old in VALID
    text = "\n".join(refusal(VALID.replace(old, new, 1)))
    assert reason in text


def test_all_problems_are_told_at_once() -> None:
    text = VALID.replace("field: tier", "field: teir").replace("operator: word", "operator: is")
    assert [line.split()[0] for line in refusal(text)] == ["routing.yaml:3", "routing.yaml:10"]


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just text", "&a [*a]", "x: " + "[" * 100 + "]" * 100])
def test_what_is_no_configuration_at_all(text: str) -> None:
    assert refusal(text)[0].startswith("routing.yaml:1 ")


def test_a_directory_without_rules(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"routing\.yaml:1 cannot be read"):
        load_rules(tmp_path)
