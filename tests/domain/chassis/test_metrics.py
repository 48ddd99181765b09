"""Metrics keep the conventions: prefix, unit, help, few labels; each process has its own."""

import re

import pytest
from prometheus_client import CollectorRegistry

from libs.chassis.metrics import Metrics

OPEN_LABELS = {"ticket", "ticket_id", "agent", "email", "customer", "subject", "path", "tag"}


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("sla", "1.0", CollectorRegistry())


def test_every_metric_keeps_the_conventions(metrics: Metrics) -> None:
    for family in metrics.registry.collect():
        assert re.fullmatch(r"signalbox(_[a-z]+)+", family.name), family.name
        assert family.documentation
        assert not family.documentation.endswith("."), family.name
        for sample in family.samples:
            assert not OPEN_LABELS & set(sample.labels), sample
            if family.type == "histogram":
                assert family.name.endswith(("_seconds", "_messages")), family.name


def test_two_processes_in_one_test_count_apart(metrics: Metrics) -> None:
    other = Metrics("router", "1.0")
    metrics.speaker.published.inc(3)

    assert metrics.registry.get_sample_value("signalbox_published_events_total") == 3
    assert other.registry.get_sample_value("signalbox_published_events_total") == 0
    assert other.registry.get_sample_value("signalbox_build_info", {"service": "router", "version": "1.0"}) == 1
