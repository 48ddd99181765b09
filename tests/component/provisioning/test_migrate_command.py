"""`signalbox migrate` and `signalbox nats-config`, as a person types them."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from libs.embedded.nats_server import NatsServer, nats_binary
from signalbox.migrate import migrate
from signalbox.nats_config import nats_config
from signalbox.services import SERVICES
from tests.component.provisioning.broker import HEARS, connected, guarded_server
from tests.component.provisioning.conftest import FIRST, Connect
from tests.support.servers import Database


@pytest.fixture(scope="module")
def server() -> Iterator[NatsServer]:
    with guarded_server() as server:
        yield server


@pytest.fixture
def program() -> typer.Typer:
    app = typer.Typer()
    app.command("migrate")(migrate)
    app.command("nats-config")(nats_config)
    return app


@pytest.fixture
def environment(server: NatsServer, database: Database) -> dict[str, str]:
    secrets = database.server.folder.secrets
    return {
        "SIGNALBOX_POSTGRES_ADMIN_URL": database.url,
        "SIGNALBOX_NATS_URL": server.url,
        "SIGNALBOX_NATS_ADMIN_PASSWORD": server.folder.secrets.nats_password("admin"),
        "SIGNALBOX_SHARDS": "2",
        **{f"SIGNALBOX_POSTGRES_PASSWORD_{name.upper()}": secrets.postgres_password(name) for name in HEARS},
    }


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three services are installed, all with the same first migration."""
    for service in HEARS:
        versions = tmp_path / service / "migrations" / "versions"
        versions.mkdir(parents=True)
        (versions / "0001_first.py").write_text(FIRST)
    monkeypatch.setattr("libs.chassis.migrations.SERVICES", tmp_path)
    monkeypatch.setattr("signalbox.migrate.installed", lambda: HEARS)


def run(program: typer.Typer, *words: str, environment: dict[str, str]) -> Result:
    return CliRunner().invoke(program, words, env=environment)


async def test_migrate_makes_everything_and_may_be_repeated(
    program: typer.Typer, environment: dict[str, str], server: NatsServer, connect: Connect
) -> None:
    first = await asyncio.to_thread(run, program, "migrate", environment=environment)
    assert first.exit_code == 0, first.output
    again = await asyncio.to_thread(run, program, "migrate", "--json", environment=environment)
    document = json.loads(again.stdout)
    assert (document["services"], document["shards"]) == (list(HEARS), 2)
    assert "consumers of sla: as they were" in document["steps"]
    async with connected(server, "sla") as sla:
        await sla.client.jetstream().pull_subscribe_bind(consumer="sla-1", stream="FACTS")
    async with connect("sla") as connection:
        assert await connection.fetchval("SELECT version_num FROM alembic_version") == "0001"


def test_a_wrong_environment_is_named_at_once_and_exits_2(program: typer.Typer, tmp_path: Path) -> None:
    wrong = {
        "SIGNALBOX_SHARDS": "3",
        "SIGNALBOX_NATS_URL": "http://localhost",
        "SIGNALBOX_NATS_ADMIN_PASSWORD": "here",
        "SIGNALBOX_NATS_ADMIN_PASSWORD_FILE": str(tmp_path / "and-there"),
        "SIGNALBOX_POSTGRES_ADMIN_URL_FILE": str(tmp_path / "missing"),
    }
    result = run(program, "migrate", environment=wrong)
    assert result.exit_code == 2
    for fault in (
        "SIGNALBOX_SHARDS: 3 is not possible (allowed: 1, 2, 4, 8, 16)",
        "SIGNALBOX_NATS_ADMIN_PASSWORD_FILE: is set beside SIGNALBOX_NATS_ADMIN_PASSWORD",
        "SIGNALBOX_NATS_URL: is not a URL of the right kind (allowed: nats:// or tls:// or ws:// or wss://)",
        "missing: No such file or directory",
        "SIGNALBOX_POSTGRES_PASSWORD_SLA: is missing",
    ):
        assert fault in result.stderr


def test_an_unknown_service_exits_2(program: typer.Typer, environment: dict[str, str]) -> None:
    result = run(program, "migrate", "slaa", environment=environment)
    assert result.exit_code == 2
    assert "'slaa' is not one of intake" in result.stderr


def test_a_broker_that_refuses_exits_1_with_one_line(program: typer.Typer, environment: dict[str, str]) -> None:
    result = run(program, "migrate", environment=environment | {"SIGNALBOX_NATS_ADMIN_PASSWORD": "wrong"})
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "migrate failed: nats: 'Authorization Violation'"


def test_a_database_that_refuses_exits_1_with_one_line(
    program: typer.Typer, environment: dict[str, str], database: Database
) -> None:
    wrong = database.url.replace("postgres:", "postgres:wrong", 1)
    result = run(program, "migrate", environment=environment | {"SIGNALBOX_POSTGRES_ADMIN_URL": wrong})
    assert result.exit_code == 1
    assert "password authentication failed" in result.stderr.splitlines()[-1]


def passwords(sources: tuple[str, ...]) -> dict[str, str]:
    return {
        f"SIGNALBOX_NATS_PASSWORD_{user.upper()}": f"of-{user}" for user in ("admin", "driver", *SERVICES, *sources)
    }


def test_nats_config_is_one_that_nats_server_accepts(program: typer.Typer, tmp_path: Path) -> None:
    written = tmp_path / "nats.conf"
    words = ["nats-config", "--output", str(written), "--store", str(tmp_path / "store")]
    result = run(program, *words, environment=passwords(("chat", "shop", "ai")))
    assert result.exit_code == 0, result.stderr
    assert written.stat().st_mode & 0o777 == 0o600
    checked = subprocess.run([nats_binary(), "-t", "-c", written], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_nats_config_knows_the_sources_that_are_configured(program: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / "phone").write_text("of-phone\n")
    environment = passwords(()) | {
        "SIGNALBOX_NATS_SOURCES": "phone",
        "SIGNALBOX_NATS_PASSWORD_PHONE_FILE": str(tmp_path / "phone"),
        "SIGNALBOX_SHARDS": "4",
    }
    result = run(program, "nats-config", "--users-only", environment=environment)
    users = {user["user"]: user for user in json.loads(result.stdout)["authorization"]["users"]}
    assert users.keys() == {"admin", "driver", "phone", *SERVICES}
    assert users["phone"]["password"] == "of-phone"
    assert "$JS.ACK.FACTS.sla-3-tickets.>" in users["sla"]["permissions"]["publish"]["allow"]


def test_nats_config_without_a_password_exits_2(program: typer.Typer) -> None:
    result = run(program, "nats-config", environment=passwords(("chat",)))
    assert result.exit_code == 2
    assert "SIGNALBOX_NATS_PASSWORD_SHOP: is missing" in result.stderr
