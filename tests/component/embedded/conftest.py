"""A claimed data folder and a stack in it, new for each test."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from libs.embedded.data_folder import DataFolder
from libs.embedded.nats_config import NatsUser
from libs.embedded.nats_server import NatsServer
from libs.embedded.postgres_server import PostgresServer
from libs.embedded.server import stop_both
from tests.support.servers import open_folder

USERS = (
    NatsUser("admin"),
    NatsUser("chat", publish=("conversations.chat.>",), subscribe=("_INBOX.chat.>",)),
    NatsUser("mute", publish=(), subscribe=("_INBOX.mute.>",)),
)


@dataclass(frozen=True, slots=True)
class Stack:
    """Both servers on one folder, not started."""

    folder: DataFolder
    nats: NatsServer
    postgres: PostgresServer


@pytest.fixture
def place() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


@pytest.fixture
def folder(place: Path) -> Iterator[DataFolder]:
    with DataFolder.claim(place / "data") as claimed:
        yield claimed


@pytest.fixture
def stack(folder: DataFolder) -> Iterator[Stack]:
    stack = Stack(folder, NatsServer(folder, USERS), PostgresServer(folder))
    yield stack
    stop_both(stack.nats, stack.postgres)
