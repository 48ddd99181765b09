"""A notifier on real PostgreSQL and NATS, sending to a real mail server."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.notifier import app
from services.notifier.handlers import HEARS
from services.notifier.settings import NotifierSettings
from signalbox.configuration import read_configuration
from tests.component.notifier.mail_server import MailServer
from tests.component.notifier.world import World
from tests.support.stack import Stack

CONFIG = Path(__file__).parents[3] / "config"
PUBLIC_URL = "https://help.example.com"
OWN_FILES = ("mail.yaml", "worktime.yaml", "templates/")


@pytest.fixture(scope="module")
def files() -> dict[str, Any]:
    """The example configuration, impatient and without limits; a module may change it."""
    found = {name: content for name, content in read_configuration(CONFIG).items() if name.startswith(OWN_FILES)}
    found["mail.yaml"]["retry"] = {"first_seconds": 0.05, "longest_seconds": 0.05, "give_up_hours": 48}
    found["mail.yaml"]["acknowledgment"] |= {"per_subject_and_hour": 1000, "per_day": 1000, "per_domain_and_hour": None}
    return found


@pytest.fixture(scope="module")
async def mail_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MailServer]:
    server = MailServer(tmp_path_factory.mktemp("outbox"))
    await server.spool.start()
    yield server
    await server.spool.stop()


@pytest.fixture(scope="module")
async def world(stack: Stack, files: dict[str, Any], mail_server: MailServer) -> AsyncIterator[World]:
    await stack.provision({"notifier": tuple(HEARS)})
    await stack.configure(files)
    settings = stack.settings(NotifierSettings, "notifier", smtp_url=mail_server.spool.url, public_url=PUBLIC_URL)
    async with stack.running(app.build(settings)) as notifier, stack.admin() as client:
        yield World(stack, notifier, mail_server, client)
