"""Logs: one JSON object a line on stdout, with what it is about and without what people wrote.

`log = structlog.get_logger(__name__)` everywhere; `log_about(ticket_id=…)` adds to every line of a block.
"""

import logging
import re
import sys
from contextlib import AbstractContextManager
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

REDACTED = "[redacted]"
PERSONAL = frozenset(
    {"address", "authorization", "bcc", "body", "cc", "customer", "customer_name", "email", "headers", "html", "mail"}
    | {"message_text", "note", "password", "payload", "phone", "recipient", "recipients", "reply_to", "secret"}
    | {"sender", "text", "token", "transcript"}
)
"""Keys whose values are never written."""

# bounded repetition: a long line without an address costs linear time
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_CREDENTIALS = re.compile(r"(://)[^\s/@]{1,256}@")
_QUIET = ("asyncio", "httpcore", "httpx", "nats", "urllib3", "mail.log")

Level = Literal["debug", "info", "warning", "error"]


def configure_logs(
    service: str, level: Level = "info", form: Literal["json", "console"] = "json", stream: TextIO | None = None
) -> None:
    """Send all logs of this process, of libraries too, to `stream` (stdout). May be called again."""
    out = stream or sys.stdout
    threshold = logging.getLevelNamesMapping()[level.upper()]
    about: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper("iso", utc=True),
        _Service(service),
    ]
    render: list[Processor] = [structlog.processors.format_exc_info, redact, _renderer(form, out)]
    structlog.configure(
        processors=[*about, *render],
        # a call below the level is a function that does nothing: the hot path may keep its debug lines
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    _route_libraries(out, threshold, about, render)


def log_about(**what: object) -> AbstractContextManager[None]:
    """Every line of the block and of the tasks that it starts says this, e.g. trace_id, event_id, ticket_id."""
    return structlog.contextvars.bound_contextvars(**what)


def redact(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """Take out what belongs to people and what opens doors; the last step before a line is written."""
    for key, value in line.items():
        if key in PERSONAL and value is not None:
            line[key] = REDACTED
        else:
            line[key] = _without_addresses(value)
    return line


def _without_addresses(value: object) -> object:
    if isinstance(value, str):
        return _CREDENTIALS.sub(rf"\1{REDACTED}@", _ADDRESS.sub(REDACTED, value)) if "@" in value else value
    if isinstance(value, dict):
        return {key: REDACTED if key in PERSONAL else _without_addresses(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_without_addresses(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _without_addresses(str(value))


class _Service:
    def __init__(self, service: str) -> None:
        self.service = service

    def __call__(self, _: WrappedLogger, __: str, line: EventDict) -> EventDict:
        line["service"] = self.service
        return line


def _renderer(form: Literal["json", "console"], out: TextIO) -> Processor:
    if form == "console":
        return structlog.dev.ConsoleRenderer(colors=out.isatty())
    return structlog.processors.JSONRenderer(ensure_ascii=False)


def _route_libraries(out: TextIO, threshold: int, about: list[Processor], render: list[Processor]) -> None:
    handler = logging.StreamHandler(out)
    meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    pre_chain = [*about, structlog.stdlib.add_logger_name]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=pre_chain, processors=[meta, *render]))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    for name in (*_QUIET, "uvicorn.error"):
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))
