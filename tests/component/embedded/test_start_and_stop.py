"""The servers come up quickly, prove who they are, and go in good order."""

import asyncio
import os
import stat
import threading
import time
from pathlib import Path

import asyncpg
import nats
import pytest
import sqlalchemy
from sqlalchemy.ext.asyncio import create_async_engine

from libs.embedded.data_folder import DataFolder
from libs.embedded.errors import CannotRun, EmbeddedError
from libs.embedded.nats_server import NatsServer
from libs.embedded.ports import free_ports, is_free
from libs.embedded.postgres_server import PostgresServer
from libs.embedded.server import start_both, start_both_async, stop_both
from tests.component.embedded.conftest import USERS, Stack


def test_both_start_side_by_side_and_stop(stack: Stack) -> None:
    started = time.perf_counter()
    start_both(stack.nats, stack.postgres)
    first = time.perf_counter() - started
    stop_both(stack.nats, stack.postgres)
    started = time.perf_counter()
    start_both(stack.nats, stack.postgres)
    print(f"both ready: {first:.2f} s from nothing, {time.perf_counter() - started:.2f} s warm")
    assert stack.nats.running
    assert stack.postgres.running
    stop_both(stack.nats, stack.postgres)
    assert stack.postgres.child.exit_code == 0
    assert is_free(stack.nats.port)
    assert not stack.postgres.socket_folder.exists()


async def test_the_loop_goes_on_while_both_start(stack: Stack) -> None:
    longest, running = 0.0, True

    async def watch() -> None:
        nonlocal longest
        while running:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - before)

    watcher = asyncio.create_task(watch())
    await start_both_async(stack.nats, stack.postgres)
    running = False
    await watcher
    print(f"longest pause of the loop: {longest * 1000:.0f} ms")
    assert longest < 0.25
    assert await _word_from(stack.postgres.url_of("postgres")) == "hello"


async def test_clients_reach_the_servers_by_their_urls(stack: Stack) -> None:
    await start_both_async(stack.nats, stack.postgres)
    connection = await nats.connect(stack.nats.url_of("admin"))
    stream = await connection.jetstream().add_stream(name="S", subjects=["s"])
    assert stream.config.name == "S"
    assert connection.max_payload == 2 * 1024 * 1024
    await connection.close()
    engine = create_async_engine(stack.postgres.url_of("postgres").replace("postgresql:", "postgresql+asyncpg:"))
    async with engine.connect() as session:
        assert (await session.execute(sqlalchemy.text("SHOW timezone"))).scalar_one() == "UTC"
    await engine.dispose()


async def test_postgresql_also_listens_on_the_loopback_when_a_port_is_asked_for(folder: DataFolder) -> None:
    postgres = PostgresServer(folder, port=free_ports(1)[0])
    await postgres.start_async()
    try:
        address = f"127.0.0.1:{postgres.port}"
        password = folder.secrets.postgres_password("postgres")
        assert await _word_from(f"postgresql://postgres:{password}@{address}/postgres") == "hello"
        assert await _word_from(postgres.url_of("postgres")) == "hello"
        with pytest.raises(asyncpg.InvalidPasswordError):
            await _word_from(f"postgresql://postgres:wrong@{address}/postgres")
    finally:
        await asyncio.to_thread(postgres.stop)


def test_postgresql_has_no_tcp_port_and_a_closed_socket(stack: Stack) -> None:
    stack.postgres.start()
    assert stack.postgres.execute("SHOW listen_addresses") == ""
    assert stack.postgres.execute("SHOW fsync") == "on"
    socket = stack.postgres.socket_folder / ".s.PGSQL.5432"
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700


def test_texts_know_upper_and_lower_case_beyond_ascii(postgres_server: PostgresServer) -> None:
    assert postgres_server.execute("SELECT lower('GRÜSSE ÉTÉ')") == "grüsse été"


def test_a_statement_that_fails_says_why(postgres_server: PostgresServer) -> None:
    with pytest.raises(EmbeddedError, match='relation "nowhere" does not exist'):
        postgres_server.execute("SELECT 1 FROM nowhere")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes users")
def test_as_root_postgresql_runs_as_another_user_and_owns_nothing_but_its_folder(stack: Stack) -> None:
    start_both(stack.nats, stack.postgres)
    assert Path(f"/proc/{stack.postgres.pid}").stat().st_uid != 0
    owners = {entry.name: entry.stat().st_uid for entry in stack.folder.path.iterdir()}
    assert owners.pop("pg") != 0
    assert set(owners.values()) == {0}


def test_servers_are_started_on_the_main_thread_only(stack: Stack) -> None:
    seen: list[BaseException] = []

    def start() -> None:
        try:
            stack.nats.start()
        except CannotRun as error:
            seen.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(seen[0])


def test_a_folder_must_be_claimed(place: Path) -> None:
    with pytest.raises(CannotRun, match="claim"):
        NatsServer(DataFolder(place), USERS).start()


def test_a_running_server_is_not_started_again(stack: Stack) -> None:
    stack.nats.start()
    with pytest.raises(CannotRun, match="runs already"):
        stack.nats.start()


async def _word_from(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        return str(await connection.fetchval("SELECT 'hello'"))
    finally:
        await connection.close()
