"""What it costs to take a mail in and to make it a ticket or a part of one: microseconds of CPU a mail.

    python -m benchmarks.mail_intake --mails 3000

A real PostgreSQL with fsync, the real door on a loopback socket, generated mails of 3.7 KB (a third are replies).
Prints one JSON document. `received` is SMTP to commit over 8 connections, `settled` is from the receipts to tickets,
messages, facts and dispositions; `postgres` is the CPU of its processes during the same time.
"""

import asyncio
import json
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, cast
from urllib.parse import urlsplit

import asyncpg
import typer
import uvloop
import yaml

from benchmarks.generated_mails import generated_mails
from libs.chassis.clock import WallClock
from libs.chassis.configuration import Configuration
from libs.chassis.database import Database
from libs.chassis.logs import configure_logs
from libs.chassis.migrations import migrate
from libs.chassis.resources import Resources
from libs.chassis.roles import ServiceRole, prepare_roles
from libs.chassis.transaction import Transactions
from libs.contracts.event import Speaker
from libs.embedded.data_folder import DataFolder
from libs.embedded.postgres_server import SUPERUSER, PostgresServer
from services.intake.acceptance import Acceptance, Arrivals
from services.intake.configuration import parse
from services.intake.inbound.worker import MailWorker
from services.intake.smtp import Door, DoorOptions

CONFIG = Path(__file__).parents[1] / "config"
CONNECTIONS = 8
NAME = "bench"
TICK = os.sysconf("SC_CLK_TCK")
FILES = ("statuses.yaml", "mail.yaml")
UNLIMITED = {"sender_limit": {"tickets": 1_000_000}}


@dataclass
class Bench:
    """Intake's mail half without a broker; facts stay in its outbox."""

    database: Database
    postmaster: int

    def __post_init__(self) -> None:
        files = {name: yaml.safe_load((CONFIG / name).read_text()) for name in FILES}
        files["mail.yaml"]["inbound"] = {**files["mail.yaml"].get("inbound", {}), **UNLIMITED}
        configuration = Configuration(1, parse(files))
        self.transactions = Transactions(
            self.database, Speaker.INTAKE, WallClock(), lambda: configuration, lambda _: None, lambda: False
        )
        holder = SimpleNamespace(current=configuration)
        self.resources = cast(
            Resources,
            SimpleNamespace(
                transactions=self.transactions, database=self.database, configuration=holder, clock=WallClock()
            ),
        )

    def cpu(self) -> tuple[float, float]:
        """Seconds of this process and of PostgreSQL."""
        return time.process_time(), sum(map(_cpu_of, _family(self.postmaster)))

    async def measured(self, work: Callable[[], Any], mails: int) -> dict[str, float]:
        """What the work took for each of so many mails."""
        ours, theirs = self.cpu()
        began = time.perf_counter()
        await work()
        wall = time.perf_counter() - began
        after = self.cpu()
        return {
            "cpu_us": round((after[0] - ours) / mails * 1e6),
            "postgres_us": round((after[1] - theirs) / mails * 1e6),
            "mails_a_second": round(mails / wall),
        }


def main(
    mails: Annotated[int, typer.Option(help="Mails in each round.")] = 3_000,
    rounds: Annotated[int, typer.Option(help="Rounds; all are printed.")] = 3,
) -> None:
    """Measure and print."""
    configure_logs("bench", "warning", "console")
    with postgres() as server:
        print(json.dumps({"mails": mails, "rounds": uvloop.run(_rounds(server, mails, rounds))}, indent=1))


async def _rounds(server: PostgresServer, mails: int, rounds: int) -> list[dict[str, Any]]:
    async with running(server) as bench:
        came = Arrivals()
        door, over = Door(Acceptance(came), DoorOptions("127.0.0.1", 0)), asyncio.Event()
        serving = asyncio.create_task(door.run(bench.resources, over))
        results = [await _round(bench, door.port, came, mails, number) for number in range(rounds)]
        over.set()
        await serving
    return results


async def _round(bench: Bench, port: int, came: Arrivals, mails: int, number: int) -> dict[str, Any]:
    written = generated_mails(mails, seed=number + 1)
    sender = await asyncio.create_subprocess_exec(
        *("python3", "-c", SENDER, str(port), str(CONNECTIONS)), stdin=asyncio.subprocess.PIPE
    )
    assert sender.stdin is not None

    async def receive() -> None:
        await sender.communicate(b"".join(len(raw).to_bytes(4, "big") + raw for raw in written))

    worker = MailWorker(came, Arrivals(), [])

    async def settle() -> None:
        while await worker.work_off(bench.transactions):
            continue

    received = await bench.measured(receive, mails)
    return {"received": received, "settled": await bench.measured(settle, mails)}


@contextmanager
def postgres() -> Iterator[PostgresServer]:
    """A cluster with fsync in a folder of its own, which PostgreSQL's own user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="signalbox-bench-"))
    folder.chmod(0o711)
    with DataFolder.claim(folder / "data") as claimed:
        server = PostgresServer(claimed)
        server.start()
        server.execute(f"CREATE DATABASE {NAME}")
        yield server
        server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def running(server: PostgresServer) -> AsyncIterator[Bench]:
    """Intake on a migrated database of that server."""
    password = urlsplit(server.url_of("intake", NAME)).password or ""
    administrator = server.url_of(SUPERUSER, NAME)
    connection = await asyncpg.connect(administrator)
    await prepare_roles(connection, ServiceRole("intake", password))
    await connection.close()
    await migrate(administrator, "intake")
    database = Database(server.url_of("intake", NAME), "intake")
    await database.start()
    yield Bench(database, _postmaster(server))
    await database.stop()


def _postmaster(server: PostgresServer) -> int:
    return int((server.cluster / "postmaster.pid").read_text().split()[0])


def _family(postmaster: int) -> list[int]:
    """The postmaster and its children."""
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return [postmaster, *map(int, children)]


def _cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    # user and system time, of itself and of the children it has waited for
    return sum(map(int, fields[11:15])) / TICK


SENDER = """
import smtplib, sys, threading
port, connections = int(sys.argv[1]), int(sys.argv[2])
data, mails, place = sys.stdin.buffer.read(), [], 0
while place < len(data):
    size = int.from_bytes(data[place:place + 4], "big")
    mails.append(data[place + 4:place + 4 + size])
    place += 4 + size
def send(mine):
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        for raw in mine:
            smtp.sendmail("sender@x.example", ["help@support.example.com"], raw)
threads = [threading.Thread(target=send, args=(mails[n::connections],)) for n in range(connections)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


if __name__ == "__main__":
    typer.run(main)
