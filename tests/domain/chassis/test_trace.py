"""Trace context as the W3C recommendation wants it."""

import pytest

from libs.chassis.trace import Trace

GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_trace_survives_the_wire() -> None:
    trace = Trace.new()

    assert Trace.parse(str(trace)) == trace


def test_a_child_continues_the_trace_under_a_new_span() -> None:
    child = Trace.following(GIVEN)

    assert child.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert child.span_id != "00f067aa0ba902b7"
    assert child.sampled


def test_not_sampled_stays_not_sampled() -> None:
    assert str(Trace.following(GIVEN[:-1] + "0")).endswith("-00")


def test_a_later_version_may_say_more() -> None:
    assert Trace.parse(f"cc{GIVEN[2:]}-more") is not None


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "nonsense",
        GIVEN.upper(),
        f"{GIVEN}-more",
        f"ff{GIVEN[2:]}",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01",
    ],
)
def test_what_is_not_valid_begins_a_new_trace(given: str | None) -> None:
    assert Trace.parse(given) is None
    assert Trace.following(given) != Trace.following(given)
