"""A bundle is refused with the file, the place and the reason, or it can be worked with."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from services.router.configuration import parse
from tests.support.router_files import agent, files, queue

CONFIG = Path(__file__).parents[3] / "config"


def shipped() -> dict[str, Any]:
    return {path.name: yaml.safe_load(path.read_text("utf-8")) for path in CONFIG.glob("*.yaml")}


def test_the_example_that_ships_is_sound_and_every_queue_has_a_lead() -> None:
    configuration = parse(shipped())
    people = {one.key: one for one in configuration.roster.people()}
    for place in configuration.roster.places():
        assert people[place.lead].role == "lead"
        assert any(place.key in one.queues for one in people.values())


def rule(**then: Any) -> dict[str, Any]:
    return {"id": "one", "then": then}


REFUSED = [
    (files({}, assignment=[rule(queue="nowhere")]), "routing.yaml: assignment rule one: queue: 'nowhere'"),
    (files({}, assignment=[rule(queue="general", required_skills=["vat"])]), "assignment rule one: skill 'vat'"),
    (files({}, assignment=[rule(queue="general", pinned_agent="zoe")]), "pinned_agent: 'zoe' is not in agents.yaml"),
    (files({}, {"general": queue(schedule="moon")}), "agents.yaml: queues.general.schedule: 'moon'"),
    (files({}, {"general": queue(lead="zoe")}), "queues.general.lead: agent 'zoe' does not exist"),
    (files({"ann": agent("nowhere")}), "agents.ann.queues: queue 'nowhere' does not exist"),
    (files({"ann": agent(capacity=-1)}), "agents.ann.capacity"),
    (
        {**files({}), "worktime.yaml": {"schedules": {"x": {"timezone": "Mars/Base", "hours": "always"}}}},
        "schedules.x.",
    ),
    ({"routing.yaml": files({})["routing.yaml"]}, "agents.yaml: is missing"),
    (files({}, {"sales": queue()}), "routing.yaml: fallback: queue: 'general'"),
]


@pytest.mark.parametrize(("bundle", "reason"), REFUSED, ids=[reason[:40] for _, reason in REFUSED])
def test_R0_what_would_strand_tickets_is_refused_with_its_place(bundle: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        parse(bundle)
    assert reason in str(refused.value)
