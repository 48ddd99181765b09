"""What is left after kill -9, and what the next start makes of it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nats
import pytest

from libs.embedded.data_folder import DataFolder
from libs.embedded.nats_server import NatsServer
from libs.embedded.postgres_server import PostgresServer
from libs.embedded.process import wait_until
from libs.embedded.server import EmbeddedServer, start_both, start_both_async, stop_both
from libs.embedded.stale import clear_stale, is_ours
from tests.component.embedded.conftest import USERS, Stack
from tests.component.embedded.supervisor import __file__ as supervisor

GONE_SECONDS = 10.0


@pytest.fixture
def killed_supervisor(place: Path) -> Callable[[], dict[str, int]]:
    """Start a supervisor on the folder, kill -9 it, give the process ids of its servers."""

    def run() -> dict[str, int]:
        root = Path(supervisor).parents[3]
        command = [sys.executable, "-m", "tests.component.embedded.supervisor", str(place / "data")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        children: dict[str, int] = json.loads(line)
        return children

    return run


def test_kill_9_of_the_parent_leaves_no_orphans(killed_supervisor: Callable[[], dict[str, int]]) -> None:
    for name, pid in killed_supervisor().items():
        wait_until(lambda pid=pid: not _exists(pid), timeout=GONE_SECONDS, what=f"{name} outlived its parent")  # type: ignore[misc]


def test_the_next_start_right_after_kill_9_of_everything_finds_the_data(
    place: Path, killed_supervisor: Callable[[], dict[str, int]]
) -> None:
    killed_supervisor()
    with DataFolder.claim(place / "data") as folder:
        nats_server, postgres = NatsServer(folder, USERS), PostgresServer(folder)
        start_both(nats_server, postgres)
        assert postgres.execute("SELECT word FROM kept") == "kept"
        stop_both(nats_server, postgres)


def test_postgresql_recovers_what_was_committed_before_kill_9(stack: Stack) -> None:
    stack.postgres.start()
    address = stack.postgres.url_of("postgres")
    stack.postgres.execute("CREATE TABLE ticket AS SELECT 7 AS number")
    stack.postgres.kill()
    assert not stack.postgres.running
    stack.postgres.restart()
    assert stack.postgres.url_of("postgres") == address
    assert stack.postgres.execute("SELECT number FROM ticket") == "7"


async def test_nats_keeps_what_it_acknowledged_over_kill_9_on_the_same_port(stack: Stack) -> None:
    await stack.nats.start_async()
    address = stack.nats.url
    connection = await nats.connect(stack.nats.url_of("admin"), reconnect_time_wait=0.05)
    stream = connection.jetstream()
    await stream.add_stream(name="S", subjects=["s"])
    await stream.publish("s", b"kept")
    stack.nats.kill()
    await stack.nats.restart_async()
    assert stack.nats.url == address
    again = await nats.connect(stack.nats.url_of("admin"))
    assert (await again.jetstream().get_msg("S", 1)).data == b"kept"
    await again.close()
    await connection.close()


async def test_wipe_loses_every_stream(stack: Stack) -> None:
    await stack.nats.start_async()
    connection = await nats.connect(stack.nats.url_of("admin"))
    await connection.jetstream().add_stream(name="S", subjects=["s"])
    await connection.close()
    stack.nats.kill()
    stack.nats.wipe()
    await stack.nats.restart_async()
    again = await nats.connect(stack.nats.url_of("admin"))
    assert (await again.jetstream().account_info()).streams == 0
    await again.close()


def test_a_half_made_cluster_is_made_anew(stack: Stack) -> None:
    stack.postgres.start()
    stack.postgres.stop()
    (stack.folder.postgres / "data").rename(stack.folder.postgres / "data.new")
    stack.postgres.start()
    assert stack.postgres.execute("SELECT 1") == "1"


@pytest.mark.parametrize("kind", ["nats", "postgres"])
def test_a_server_that_outlived_its_parent_is_ended_first(stack: Stack, kind: str) -> None:
    server: EmbeddedServer = getattr(stack, kind)
    server.start()
    forgotten = server.child
    server._child = None  # as a new process would see it
    server.start()
    assert forgotten.exit_code is not None
    assert server.pid != forgotten.pid


def test_a_stale_process_id_of_another_program_is_left_alone(stack: Stack) -> None:
    start_both(stack.nats, stack.postgres)
    stop_both(stack.nats, stack.postgres)
    for pid_file in (stack.folder.nats / "nats-server.pid", stack.folder.postgres / "data" / "postmaster.pid"):
        pid_file.write_text(f"{os.getpid()}\n")
    start_both(stack.nats, stack.postgres)
    assert stack.postgres.execute("SELECT 1") == "1"


def test_only_a_command_line_with_our_mark_is_ours(place: Path) -> None:
    pid_file = place / "pid"
    pid_file.write_text("not a number")
    clear_stale(pid_file, "mark", end_by=signal.SIGKILL)
    assert not pid_file.exists()
    assert is_ours(os.getpid(), "python") or is_ours(os.getpid(), "pytest")
    assert not is_ours(os.getpid(), "no such mark")


async def test_the_async_start_fails_whole_when_one_server_fails(stack: Stack) -> None:
    stack.postgres._settings["shared_buffers"] = "many"
    with pytest.raises(RuntimeError, match="shared_buffers"):
        await start_both_async(stack.nats, stack.postgres)
    assert not stack.nats.running


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").exists() and not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True
