"""The services' own fast form and the tolerant envelope are one format."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.envelope import CloudEvent
from libs.contracts.event import Speaker
from libs.contracts.fact import write_headers
from libs.contracts.ticket import TicketRated

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1)
NOON = datetime(2026, 2, 28, 12, tzinfo=UTC)


def fact_headers(subject: str, actor: str | None) -> bytes:
    return write_headers(
        speaker=Speaker.INTAKE,
        type=TicketRated.TYPE,
        subject=subject,
        n=3,
        occurred_at=NOON,
        actor=actor,
        cause=None,
        config_version=7,
        trace=None,
        state=None,
    )


@given(TEXT, st.none() | TEXT)
def test_any_cloudevents_reader_understands_a_fact(subject: str, actor: str | None) -> None:
    block = fact_headers(subject, actor).decode("ascii")
    headers = dict(line.split(": ", 1) for line in block.split("\r\n")[1:] if line)
    event = CloudEvent.from_message(headers, b'{"score":5}')
    assert (event.source, event.id, event.subject) == ("signalbox/intake", f"{subject}/3", subject)
    assert (event.type, event.time) == (TicketRated.TYPE, NOON)
    expected = {"n": "3", "configversion": "7"} | ({} if actor is None else {"actor": actor})
    assert event.extensions == expected
