"""CloudEvents 1.0 over NATS: binary out, binary and structured in."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.envelope import CloudEvent, EnvelopeError

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1)
NAME = st.from_regex(r"x[a-z0-9]{0,19}", fullmatch=True)
INSTANT = st.datetimes(
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7)), timezone(timedelta(minutes=345))])
)
JSON_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT, lambda inner: st.lists(inner)
)

REQUIRED = {"ce-specversion": "1.0", "ce-id": "7", "ce-source": "chat", "ce-type": "signalbox.conversation.rated.v1"}
DOCUMENT = {name.removeprefix("ce-"): value for name, value in REQUIRED.items()}


@st.composite
def events(draw: st.DrawFn) -> CloudEvent:
    return CloudEvent(
        id=draw(TEXT),
        source=draw(TEXT),
        type=draw(TEXT),
        time=draw(st.none() | INSTANT),
        subject=draw(st.none() | TEXT),
        extensions=draw(st.dictionaries(NAME, TEXT, max_size=3)),
        data=json.dumps(draw(JSON_VALUE)).encode(),
    )


@given(events())
def test_an_event_survives_binary_mode(event: CloudEvent) -> None:
    headers, payload = event.to_binary()
    assert CloudEvent.from_message(headers, payload) == event


@given(events())
def test_an_event_survives_structured_mode(event: CloudEvent) -> None:
    again = CloudEvent.from_message({"Content-Type": "application/cloudevents+json"}, event.to_structured())
    assert again.attributes() == event.attributes()
    assert json.loads(again.data) == json.loads(event.data)


def test_the_example_of_the_specification_is_read() -> None:
    headers = {
        "ce-specversion": "1.0",
        "ce-type": "com.example.someevent",
        "ce-time": "2018-04-05T03:56:24Z",
        "ce-id": "1234-1234-1234",
        "ce-source": "/mycontext/subcontext",
        "ce-datacontenttype": "application/json",
    }
    event = CloudEvent.from_message(headers, b"{}")
    assert event == CloudEvent(
        id="1234-1234-1234",
        source="/mycontext/subcontext",
        type="com.example.someevent",
        time=datetime(2018, 4, 5, 3, 56, 24, tzinfo=UTC),
        data=b"{}",
    )
    assert event.to_binary() == (headers, b"{}")


def test_every_attribute_is_its_own_header_and_other_headers_travel_along() -> None:
    event = CloudEvent(id="1", source="chat", type="t", extensions={"dataschema": "urn:x", "tenant": "Zürich"})
    headers, _ = event.to_binary({"traceparent": "00-…"})
    assert headers["ce-dataschema"] == "urn:x"
    assert headers["ce-tenant"] == "Z%C3%BCrich"
    assert headers["traceparent"] == "00-…"
    assert "Content-Type" not in headers


def test_header_names_come_in_any_case() -> None:
    shouted = {name.upper(): value for name, value in REQUIRED.items()}
    assert CloudEvent.from_message(shouted, b"") == CloudEvent.from_message(REQUIRED, b"")


def test_other_headers_are_not_attributes() -> None:
    event = CloudEvent.from_message({**REQUIRED, "Nats-Msg-Id": "chat|7", "Content-Type": "text/plain"}, b"")
    assert event.extensions == {}
    assert event.datacontenttype is None


def test_a_time_is_read_into_utc() -> None:
    event = CloudEvent.from_message({**REQUIRED, "ce-time": "2026-02-28T10:15:00.5+05:45"}, b"")
    assert event.time == datetime(2026, 2, 28, 4, 30, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type"])
def test_a_required_attribute_that_is_missing_is_named(name: str) -> None:
    headers = {header: value for header, value in REQUIRED.items() if header != f"ce-{name}"}
    with pytest.raises(EnvelopeError, match=f"^{name}: is missing"):
        CloudEvent.from_message(headers, b"")


@pytest.mark.parametrize(
    ("headers", "attribute", "reason"),
    [
        ({"ce-specversion": "0.3"}, "specversion", "not supported"),
        ({"ce-id": ""}, "id", "empty"),
        ({"ce-subject": ""}, "subject", "empty"),
        ({"ce-id": "%00"}, "id", "control character"),
        ({"ce-source": "%C0%A0"}, "source", "UTF-8"),
        ({"ce-tenant": "%ff"}, "tenant", "UTF-8"),
        ({"ce-some-name": "x"}, "some-name", "attribute name"),
        ({"ce-data": "x"}, "data", "not an extension"),
        ({"ce-time": "2026-02-28"}, "time", "RFC 3339"),
        ({"ce-time": "2026-02-28 09:15:00Z"}, "time", "RFC 3339"),
        ({"ce-time": "2026-02-28T09:15:00"}, "time", "RFC 3339"),
        ({"ce-time": "2026-02-30T09:15:00Z"}, "time", "calendar"),
        ({"ce-time": "0001-01-01T00:00:00+14:00"}, "time", "calendar"),
        ({"content-type": "application/cloudevents-batch+json"}, "content-type", "not supported"),
        ({"content-type": "Application/CloudEvents+avro; x=y"}, "content-type", "not supported"),
        ({"content-type": "application/cloudevents; charset=utf-8"}, "document", "not JSON"),
    ],
)
def test_what_is_wrong_is_named(headers: dict[str, str], attribute: str, reason: str) -> None:
    with pytest.raises(EnvelopeError, match=reason) as caught:
        CloudEvent.from_message({**REQUIRED, **headers}, b"")
    assert caught.value.attribute == attribute


def test_no_headers_at_all_is_an_event_without_attributes() -> None:
    with pytest.raises(EnvelopeError, match="specversion: is missing"):
        CloudEvent.from_message(None, b"{}")


def test_a_time_without_an_offset_is_no_event() -> None:
    with pytest.raises(EnvelopeError, match="time: has no offset"):
        CloudEvent(id="1", source="chat", type="t", time=datetime(2026, 2, 28))


def document(**members: Any) -> str:
    return json.dumps({**DOCUMENT, **members})


@pytest.mark.parametrize(
    ("members", "data", "content_type"),
    [
        ({}, b"", None),
        ({"data": {"a": "ü"}}, '{"a":"ü"}'.encode(), "application/json"),
        ({"data": None}, b"null", "application/json"),
        ({"data": "text"}, b'"text"', "application/json"),
        ({"data": [1], "datacontenttype": "application/vnd.x+json"}, b"[1]", "application/vnd.x+json"),
        ({"data": "<a/>", "datacontenttype": "application/xml"}, b"<a/>", "application/xml"),
        ({"data_base64": "AP8=", "datacontenttype": "image/png"}, b"\x00\xff", "image/png"),
        ({"data_base64": "AP8="}, b"\x00\xff", None),
    ],
)
def test_data_of_a_structured_event(members: dict[str, Any], data: bytes, content_type: str | None) -> None:
    event = CloudEvent.from_structured(document(**members))
    assert (event.data, event.datacontenttype) == (data, content_type)


@pytest.mark.parametrize(
    ("data", "content_type"), [(b"<a/>", "application/xml"), (b"\x00\xff", "image/png"), (b"", None)]
)
def test_data_that_is_not_json_survives_structured_mode(data: bytes, content_type: str | None) -> None:
    event = CloudEvent(id="1", source="chat", type="t", datacontenttype=content_type, data=data)
    assert CloudEvent.from_structured(event.to_structured()) == event


def test_extensions_of_a_structured_event_take_their_canonical_text() -> None:
    event = CloudEvent.from_structured(document(sampled=True, sequence=12, unset=None, tenant="a"))
    assert event.extensions == {"sampled": "true", "sequence": "12", "tenant": "a"}


@pytest.mark.parametrize(
    ("text", "attribute", "reason"),
    [
        ("{", "document", "not JSON"),
        ('{"id": NaN}', "document", "not JSON"),
        ('{"id": "\\ud83d"}', "document", "not JSON"),
        ("[" * 5000 + "]" * 5000, "document", "not JSON"),
        ('"text"', "document", "not a JSON object"),
        (document(id=None), "id", "missing"),
        (document(id=7.5), "id", "not a string"),
        (document(tenant={}), "tenant", "not a string"),
        (document(data=1, data_base64="AA=="), "data_base64", "only one"),
        (document(data_base64="*"), "data_base64", "not base64"),
        (document(data_base64=7), "data_base64", "not base64"),
        (document(data={}, datacontenttype="text/plain"), "data", "not a string"),
    ],
)
def test_what_is_wrong_with_a_document_is_named(text: str, attribute: str, reason: str) -> None:
    with pytest.raises(EnvelopeError, match=reason) as caught:
        CloudEvent.from_structured(text)
    assert caught.value.attribute == attribute


def test_over_http_one_event_or_an_array_comes_in() -> None:
    assert [event.id for event in CloudEvent.from_batch(document())] == ["7"]
    assert [event.id for event in CloudEvent.from_batch(f"[{document(id='a')},{document(id='b')}]")] == ["a", "b"]
    assert CloudEvent.from_batch("[]") == []


@pytest.mark.parametrize("second", ["7", document(id=None), document(time="never")])
def test_a_fault_in_an_array_tells_its_position(second: str) -> None:
    with pytest.raises(EnvelopeError, match=r"^event 1: ") as caught:
        CloudEvent.from_batch(f"[{document()},{second}]")
    assert caught.value.index == 1


NAMES = [*REQUIRED, "ce-time", "ce-subject", "ce-n", "ce-data", "CE-ID", "traceparent", "Nats-Msg-Id", "content-type"]
VALUES = ["1.0", "7", "chat", "2026-02-28T10:15:00.5+05:45", "yesterday", "a%20b", '"quoted"', "a b", "", "\u00e4"]


@given(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES)), st.booleans())
def test_the_short_way_through_plain_headers_ends_where_the_long_one_does(
    headers: dict[str, str], complete: bool
) -> None:
    named = {**REQUIRED, **headers, "ce-specversion": "1.0"} if complete else headers
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    event = CloudEvent.from_plain_headers(f"NATS/1.0\r\n{lines}\r\n".encode(), b"{}")
    if event is not None:
        assert event == CloudEvent.from_message(named, b"{}")


@given(events())
def test_an_event_with_nothing_to_encode_takes_the_short_way(event: CloudEvent) -> None:
    headers, payload = event.to_binary()
    block = "NATS/1.0\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    encoded = "%" in "".join(headers.values())
    assert CloudEvent.from_plain_headers(block.encode(), payload) == (None if encoded else event)
