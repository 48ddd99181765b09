"""Never somebody else's folder, server, secret or subject."""

import asyncio
import json
import shutil
import stat
from pathlib import Path

import nats
import pytest
from nats.aio.msg import Msg

from libs.embedded.data_folder import DataFolder
from libs.embedded.errors import CannotRun, FolderInUse, TryAgain, WrongServer
from libs.embedded.nats_config import NatsUser
from libs.embedded.nats_server import NatsServer
from libs.embedded.postgres_server import PostgresServer
from libs.embedded.secrets import Secrets
from libs.embedded.server import start_both
from tests.component.embedded.conftest import USERS, Stack


def test_a_second_stack_on_the_same_folder_is_refused(folder: DataFolder) -> None:
    with pytest.raises(FolderInUse, match="in use by another stack"), DataFolder.claim(folder.path):
        pass


def test_a_folder_given_back_can_be_claimed_again(place: Path) -> None:
    with DataFolder.claim(place) as first:
        identity = first.identity
    with DataFolder.claim(place) as second:
        assert second.identity == identity


def test_a_nats_server_of_another_folder_is_not_taken_for_ours(stack: Stack, place: Path) -> None:
    stack.nats.start()
    with DataFolder.claim(place / "other") as other:
        stranger = NatsServer(other, USERS, port=stack.nats.port, monitoring_port=stack.nats.monitoring_port)
        with pytest.raises(WrongServer, match="is not the nats-server of"):
            stranger.verify()
        stranger.begin()
        with pytest.raises(TryAgain, match=f"port {stack.nats.port} .* is taken by another program"):
            stranger.wait_ready()


def test_a_port_taken_meanwhile_is_given_up_for_another(stack: Stack, place: Path) -> None:
    stack.nats.start()
    with DataFolder.claim(place / "other") as other:
        late = NatsServer(other, USERS)
        late._ports = (stack.nats.port, late.monitoring_port)
        late.start()
        assert late.port != stack.nats.port
        late.stop()


def test_a_postgresql_with_another_identity_is_not_taken_for_ours(stack: Stack, place: Path) -> None:
    stack.postgres.start()
    identity = stack.folder.path / "identity"
    identity.write_text("signalbox-somebody-else\n")
    with pytest.raises(WrongServer, match="is not the PostgreSQL of"):
        _as_seen_by_a_newcomer(stack).verify()


def test_secrets_are_private_and_stay(stack: Stack) -> None:
    start_both(stack.nats, stack.postgres)
    for private in ("secrets.json", "identity", "nats/nats-server.conf"):
        assert stat.S_IMODE((stack.folder.path / private).stat().st_mode) == 0o600, private
    assert not (stack.folder.postgres / "password.new").exists()
    before = Secrets(stack.folder.secrets.path)
    assert before.nats_password("admin") == stack.folder.secrets.nats_password("admin")
    assert len({before.value(name) for name in ("nats/admin", "nats/chat", "postgres/postgres", "token-signing")}) == 4
    assert before.hmac_key("message-id") != before.hmac_key("attachment-url")


def test_secrets_open_to_others_are_refused(folder: DataFolder) -> None:
    folder.secrets.token_signing_key()
    folder.secrets.path.chmod(0o644)
    with pytest.raises(CannotRun, match="chmod 600"):
        folder.secrets.token_signing_key()


@pytest.mark.parametrize("text", ["{", "[]", '{"nats/admin": 7}', '{"nats/admin": ""}'])
def test_broken_secrets_are_an_error_not_new_secrets(folder: DataFolder, text: str) -> None:
    folder.secrets.token_signing_key()
    folder.secrets.path.write_text(text)
    with pytest.raises(CannotRun, match=r"secrets\.json"):
        folder.secrets.nats_password("admin")
    assert folder.secrets.path.read_text() == text


async def test_asked_by_many_at_once_a_secret_has_one_value(folder: DataFolder) -> None:
    names = [f"postgres/{number % 5}" for number in range(50)]
    values = await asyncio.gather(
        *(asyncio.to_thread(Secrets(folder.secrets.path).value, name) for name in names),
    )
    assert len(set(values)) == 5
    assert set(json.loads(folder.secrets.path.read_text()).values()) == set(values)


async def test_a_user_may_say_its_own_subjects_and_no_others(stack: Stack) -> None:
    await stack.nats.start_async()
    denied: asyncio.Queue[str] = asyncio.Queue()

    async def on_error(error: Exception) -> None:
        denied.put_nowait(str(error))

    admin = await nats.connect(stack.nats.url_of("admin"))
    heard = await admin.subscribe(">")
    await admin.flush()
    chat = await nats.connect(stack.nats.url_of("chat"), inbox_prefix="_INBOX.chat", error_cb=on_error)
    await chat.publish("tickets.3.opened", b"")
    assert "tickets.3.opened" in await asyncio.wait_for(denied.get(), 5)
    await chat.subscribe("tickets.>")
    assert "tickets.>" in await asyncio.wait_for(denied.get(), 5)
    await chat.publish("conversations.chat.started", b"")
    assert (await heard.next_msg(timeout=5)).subject == "conversations.chat.started"
    await chat.close()
    await admin.close()


async def test_a_user_with_no_subjects_may_say_nothing(stack: Stack) -> None:
    await stack.nats.start_async()
    denied: asyncio.Queue[str] = asyncio.Queue()

    async def on_error(error: Exception) -> None:
        denied.put_nowait(str(error))

    mute = await nats.connect(stack.nats.url_of("mute"), inbox_prefix="_INBOX.mute", error_cb=on_error)
    await mute.publish("anything", b"")
    assert "anything" in await asyncio.wait_for(denied.get(), 5)
    await mute.close()


async def test_a_user_that_may_only_answer_answers(place: Path) -> None:
    users = [NatsUser("asker"), NatsUser("answerer", publish=(), subscribe=("question",), allow_responses=True)]
    with DataFolder.claim(place / "data") as folder:
        server = NatsServer(folder, users)
        await server.start_async()
        answerer = await nats.connect(server.url_of("answerer"))
        await answerer.subscribe("question", cb=_answer)
        await answerer.flush()
        asker = await nats.connect(server.url_of("asker"))
        assert (await asker.request("question", timeout=5)).data == b"answer"
        await asker.close()
        await answerer.close()
        server.stop()


async def test_nobody_enters_without_a_password(stack: Stack) -> None:
    await stack.nats.start_async()
    with pytest.raises(nats.errors.Error, match=r"(?i)authorization"):
        await nats.connect(stack.nats.url, allow_reconnect=False, error_cb=_ignore)


def test_a_cluster_of_another_major_version_is_refused(stack: Stack) -> None:
    stack.postgres.start()
    stack.postgres.stop()
    (stack.postgres.cluster / "PG_VERSION").write_text("12\n")
    with pytest.raises(CannotRun, match="made by PostgreSQL 12"):
        stack.postgres.start()
    shutil.rmtree(stack.postgres.cluster)


async def _answer(question: Msg) -> None:
    await question.respond(b"answer")


async def _ignore(_: Exception) -> None:
    return None


def _as_seen_by_a_newcomer(stack: Stack) -> PostgresServer:
    newcomer = PostgresServer(DataFolder(stack.folder.path))
    newcomer.__class__ = type("Newcomer", (PostgresServer,), {"socket_folder": stack.postgres.socket_folder})
    return newcomer
