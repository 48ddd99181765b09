"""The whole catalogue as one AsyncAPI 3.0 document."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from libs.contracts.catalogue import CATALOGUE, STREAMS, Stream
from libs.contracts.channel import Channel
from libs.contracts.event import Event, Payload, Speaker
from libs.contracts.message_headers import header_schemas, headers_of
from libs.contracts.partition import PARTITIONS
from libs.contracts.sample_files import samples
from libs.contracts.schema_files import Untitled, schema_id
from libs.contracts.ticket_state import TicketState

Document = dict[str, Any]
Hears = Mapping[str, Iterable[type[Event]]]

CONTRACT_VERSION = "1.0.0"
"""Of the document: the major number rises when an event type is taken away, the minor when one is added."""

PARAMETERS: Document = {
    "partition": {
        "description": "FNV-1a (32 bit) of ce-subject, modulo 16.",
        "enum": [str(number) for number in range(PARTITIONS)],
    },
    "source": {"description": "Name of the system that publishes: a to z, 0 to 9, _ and -."},
}


def asyncapi(hears: Hears) -> Document:
    """The document, the same for the same catalogue and hearers. `hears`: event types by name of the service."""
    return {
        "asyncapi": "3.0.0",
        "id": "urn:signalbox:events",
        "info": {
            "title": "Signalbox events",
            "version": CONTRACT_VERSION,
            "description": "CloudEvents 1.0 in binary mode over NATS JetStream. Fields are only ever added; readers "
            "ignore what they do not know; an absent field has its default.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "nats": {
                "host": "{host}",
                "protocol": "nats",
                "description": "A NATS server (2.11 or later) with JetStream.",
                "variables": {"host": {"default": "localhost:4222", "description": "Host and port."}},
            }
        },
        "channels": {short_name(event): _channel(event) for event in CATALOGUE.values()},
        "operations": _operations(hears),
        "components": {
            "messages": {short_name(event): _message(event) for event in CATALOGUE.values()},
            "schemas": _schemas(),
        },
        "x-streams": [_stream(stream) for stream in STREAMS],
    }


def short_name(event: type[Event]) -> str:
    """The type without what all types share: `ticket.opened`; later versions keep theirs, `ticket.opened.v2`."""
    return event.TYPE.removeprefix("signalbox.").removesuffix(".v1")


def _channel(event: type[Event]) -> Document:
    channel, name = Channel.of(event), short_name(event)
    return {
        "address": channel.address,
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "parameters": {channel.parameter: PARAMETERS[channel.parameter]},
        "x-stream": channel.stream.name,
    }


def _operations(hears: Hears) -> Document:
    says = {
        f"{_speaker(event)}.says.{short_name(event)}": _operation("send", _speaker(event), event)
        for event in CATALOGUE.values()
    }
    heard = {
        f"{service}.hears.{short_name(event)}": _operation("receive", service, event)
        for service in sorted(hears)
        for event in sorted(hears[service], key=lambda event: event.TYPE)
    }
    return says | heard


def _speaker(event: type[Event]) -> str:
    return "source" if event.SPEAKER is Speaker.SOURCE else event.SPEAKER.value


def _operation(action: str, who: str, event: type[Event]) -> Document:
    channel = f"#/channels/{short_name(event)}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{short_name(event)}"}],
        "x-service": who,
    }


def _message(event: type[Event]) -> Document:
    description = (event.__doc__ or "").strip()
    return {
        "name": event.TYPE,
        "title": event.__name__,
        "summary": description.partition("\n")[0],
        "contentType": "application/json",
        "headers": _reference(headers_of(event)),
        "payload": _reference(event.__name__),
        "examples": [
            {"name": path.stem, "payload": json.loads(path.read_text(encoding="utf-8"))} for path in samples(event.TYPE)
        ],
        "x-about": event.ABOUT.value,
        "x-schema-id": schema_id(event.TYPE),
    }


def _schemas() -> Document:
    models: tuple[type[Payload], ...] = (*CATALOGUE.values(), TicketState)
    _, definitions = models_json_schema(
        [(model, "validation") for model in models],
        ref_template="#/components/schemas/{model}",
        schema_generator=Untitled,
    )
    schemas: Document = definitions["$defs"] | header_schemas(_reference(TicketState.__name__))
    return dict(sorted(schemas.items()))


def _reference(schema: str) -> Document:
    return {"$ref": f"#/components/schemas/{schema}"}


def _stream(stream: Stream) -> Document:
    return {
        "name": stream.name,
        "subjects": list(stream.subjects),
        "description": "max_age and duplicate_window are in seconds.",
        "max_age": stream.max_age,
        "duplicate_window": stream.duplicate_window,
    }
