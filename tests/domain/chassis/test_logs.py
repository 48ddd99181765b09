"""Logs are one JSON object a line, for our own lines and those of libraries, and never tell what people wrote."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from libs.chassis.logs import Level, configure_logs, log_about


class Written:
    """What was logged so far."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def written() -> Iterator[Written]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    written = Written()
    configure_logs("sla", stream=written.stream)
    yield written
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


log = structlog.get_logger("test")


def test_a_line_says_when_what_and_what_about(written: Written) -> None:
    with log_about(trace_id="4bf9", event_id="e1", ticket_id="t1"):
        log.info("clock started", metric="first_response")
    log.info("next")

    first, second = written.lines
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "level": "info",
        "event": "clock started",
        "service": "sla",
        "trace_id": "4bf9",
        "event_id": "e1",
        "ticket_id": "t1",
        "metric": "first_response",
    }
    assert "ticket_id" not in second


def test_libraries_write_the_same_form(written: Written) -> None:
    with log_about(trace_id="4bf9"):
        logging.getLogger("uvicorn.error").error("it is %s", "broken")

    (line,) = written.lines
    assert (line["level"], line["event"], line["service"]) == ("error", "it is broken", "sla")
    assert (line["logger"], line["trace_id"]) == ("uvicorn.error", "4bf9")


@pytest.mark.parametrize("library", ["uvicorn.error", "nats.aio.client", "asyncio", "httpx"])
def test_libraries_chatter_is_left_out(written: Written, library: str) -> None:
    logging.getLogger(library).info("chatter")

    assert written.lines == []


@pytest.mark.parametrize(("level", "seen"), [("debug", 3), ("info", 2), ("error", 1)])
def test_the_level_decides_what_is_written(written: Written, level: Level, seen: int) -> None:
    configure_logs("sla", level, stream=written.stream)

    log.debug("a")
    log.info("b")
    log.error("c")

    assert len(written.lines) == seen


def test_what_people_wrote_is_not_written(written: Written) -> None:
    log.info("received", body="my password is x", email="a@b.co", recipients=["a@b.co"], size=3, nested={"text": "x"})

    (line,) = written.lines
    assert (line["body"], line["email"], line["recipients"]) == ("[redacted]",) * 3
    assert line["nested"] == {"text": "[redacted]"}
    assert line["size"] == 3


def test_addresses_and_credentials_are_taken_out_of_texts(written: Written) -> None:
    log.warning("mail from Mia.Doe+x@mail.example.org refused", tried=["postgresql://sla:hunter2@db/signalbox"])

    (line,) = written.lines
    assert line["event"] == "mail from [redacted] refused"
    assert line["tried"] == ["postgresql://[redacted]@db/signalbox"]


def test_addresses_are_taken_out_of_tracebacks(written: Written) -> None:
    try:
        raise ValueError("Key (email)=(mia@example.org) already exists")
    except ValueError:
        log.exception("failed")
        logging.getLogger("library").exception("failed")

    assert all("ValueError" in line["exception"] for line in written.lines)
    assert "mia@" not in written.stream.getvalue()


def test_a_console_line_is_readable_and_redacted(written: Written) -> None:
    configure_logs("sla", form="console", stream=written.stream)

    log.info("said", email="a@b.co", ticket_id="t1")

    assert "ticket_id=t1" in written.stream.getvalue()
    assert "a@b.co" not in written.stream.getvalue()
