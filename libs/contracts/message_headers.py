"""The headers of a message as JSON Schemas: what is always there, what depends on who speaks."""

from typing import Any

from libs.contracts.event import About, Event, Speaker

Schema = dict[str, Any]

FACT, TICKET_FACT, SOURCE_EVENT = "FactHeaders", "TicketFactHeaders", "SourceHeaders"


def headers_of(event: type[Event]) -> str:
    """The name of the schema of an event's headers. Intake's facts carry the state of the ticket."""
    if event.SPEAKER is Speaker.SOURCE:
        return SOURCE_EVENT
    return TICKET_FACT if (event.SPEAKER, event.ABOUT) == (Speaker.INTAKE, About.TICKET) else FACT


def header_schemas(state: Schema) -> dict[str, Schema]:
    """All header schemas by name; `state` is the schema of the ticket's state, or a reference to it."""
    ticket = {
        "type": "string",
        "maxLength": 8192,
        "contentEncoding": "base64url",
        "contentMediaType": "application/json",
        "description": "State of the ticket after this fact: base64url JSON without padding.",
        "x-decoded": state,
    }
    return {
        FACT: _object({**_ENVELOPE, **_FACT}, [*_REQUIRED, "ce-time", "ce-subject", "ce-n"]),
        TICKET_FACT: _object(
            {**_ENVELOPE, **_FACT, "ticket": ticket}, [*_REQUIRED, "ce-time", "ce-subject", "ce-n", "ticket"]
        ),
        SOURCE_EVENT: _object(_ENVELOPE, _REQUIRED),
    }


def _object(properties: dict[str, Schema], required: list[str]) -> Schema:
    return {"type": "object", "properties": properties, "required": required}


def _text(description: str, **more: Any) -> Schema:
    return {"type": "string", "description": description, **more}


_REQUIRED = ["ce-specversion", "ce-id", "ce-source", "ce-type"]
_ENVELOPE = {
    "ce-specversion": _text("CloudEvents version.", const="1.0"),
    "ce-id": _text("Unique for its source. The same id again has the effect of once."),
    "ce-source": _text("Who says it: a source by its subject token, a service as signalbox/<service>."),
    "ce-type": _text("The event type, e.g. signalbox.ticket.opened.v1."),
    "ce-time": _text("When it happened, RFC 3339, UTC.", format="date-time"),
    "ce-subject": _text("What it is about: a ticket id, agent:<key>, queue:<key>, or a conversation id."),
    "ce-datacontenttype": _text("Media type of the payload.", const="application/json"),
    "traceparent": _text("W3C trace context."),
    "Nats-Msg-Id": _text("<ce-source>|<ce-id>, by which the stream drops what it has just seen."),
}
_FACT = {
    "ce-n": _text("Consecutive from 1 for each (ce-source, ce-subject).", pattern="^[1-9][0-9]*$"),
    "ce-actor": _text("Who did it: agent:<key>, customer:<id>, a service; absent when nobody in particular."),
    "ce-cause": _text("Id of what made the speaker say it."),
    "ce-configversion": _text("Version of the configuration it was decided by.", pattern="^[0-9]+$"),
}
