"""No service reads another's schema, makes or drops tables, or changes what it said."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from libs.chassis.migrations import migrate, versions_folder
from libs.chassis.roles import ServiceRole, prepare_roles, scram_verifier
from tests.component.provisioning.conftest import FIRST, Connect, role_of
from tests.support.servers import Database

SAID = """INSERT INTO events (subject, n, type, occurred_at, config_version, data)
VALUES ('T', 1, 'signalbox.ticket.opened.v1', '2026-03-02T09:00Z', 1, '{}')"""
DENIED = asyncpg.InsufficientPrivilegeError


@pytest.fixture(scope="module", autouse=True)
async def two_services(database: Database, connect: Connect, tmp_path_factory: pytest.TempPathFactory) -> None:
    versions = tmp_path_factory.mktemp("versions")
    (versions / "0001_first.py").write_text(FIRST)
    async with connect() as administrator:
        await prepare_roles(administrator, role_of(database, "intake"), role_of(database, "router"))
    for service in ("intake", "router"):
        await migrate(database.url, service, versions)


async def test_a_service_works_in_its_own_schema_without_naming_it(connect: Connect) -> None:
    async with connect("intake") as intake, intake.transaction():
        await intake.execute(SAID)
        await intake.execute("INSERT INTO tickets VALUES ('T')")
        await intake.execute("UPDATE tickets SET id = 'U'")
        await intake.execute(
            "INSERT INTO parked (door, speaker, subject, reason, headers, payload) VALUES ('','','','','','')"
        )
        assert await intake.fetchval("SELECT count(*) FROM intake.tickets JOIN intake.events ON true") == 1
        await intake.execute("DELETE FROM tickets")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM router.tickets",
        "SELECT * FROM router.events",
        "INSERT INTO router.tickets VALUES ('T')",
        "SELECT nextval('router.events_id_seq')",
        "CREATE TABLE mine (id int)",
        "CREATE TABLE router.mine (id int)",
        "CREATE TABLE public.mine (id int)",
        "CREATE SCHEMA mine",
        "ALTER TABLE tickets ADD COLUMN more text",
        "DROP TABLE tickets",
        "TRUNCATE tickets",
        "SET ROLE intake_owner",
        "SET ROLE router",
        "UPDATE events SET n = 2",
        "DELETE FROM events",
        "TRUNCATE events",
        "UPDATE alembic_version SET version_num = '0'",
    ],
)
async def test_a_service_may_not(connect: Connect, statement: str) -> None:
    async with connect("intake") as intake:
        with pytest.raises(DENIED):
            await intake.execute(statement)


async def test_the_owner_cannot_log_in_even_with_a_password(database: Database, connect: Connect) -> None:
    password = database.server.folder.secrets.postgres_password("intake_owner")
    async with connect() as administrator:
        await administrator.execute(f"ALTER ROLE intake_owner PASSWORD '{password}'")
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="not permitted to log in"):
        await asyncpg.connect(database.url_of("intake_owner"))


async def test_a_service_needs_its_password(database: Database) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(database.url_of("intake"), password="another")


async def test_limits_are_the_roles_and_follow_the_settings(database: Database, connect: Connect) -> None:
    role = role_of(database, "limited")
    async with connect() as administrator:
        await prepare_roles(administrator, role)
        await prepare_roles(administrator, replace(role, statement_timeout=2.5))
    async with connect("limited") as limited:
        assert await limited.fetchval("SHOW statement_timeout") == "2500ms"
        assert await limited.fetchval("SHOW idle_in_transaction_session_timeout") == "10s"


async def test_eight_at_once_make_the_roles_once(database: Database, connect: Connect) -> None:
    roles = [role_of(database, service) for service in ("sla", "notifier", "reporting")]

    async def prepare() -> None:
        async with connect() as administrator:
            await prepare_roles(administrator, *roles)

    await asyncio.gather(*(prepare() for _ in range(8)))
    async with connect("notifier") as notifier:
        assert await notifier.fetchval("SELECT current_schema()") == "notifier"


async def test_an_administrator_who_is_no_superuser_is_enough(database: Database, connect: Connect) -> None:
    password = database.server.folder.secrets.postgres_password("managed")
    async with connect() as superuser:
        await superuser.execute(f"CREATE ROLE managed LOGIN CREATEROLE PASSWORD '{password}'")
        await superuser.execute(f"GRANT CREATE ON DATABASE {database.name} TO managed")
    async with connect("managed") as administrator:
        await prepare_roles(administrator, role_of(database, "elsewhere"))
        await prepare_roles(administrator, role_of(database, "elsewhere"))
    async with connect("elsewhere") as elsewhere:
        assert await elsewhere.fetchval("SELECT current_schema()") == "elsewhere"


def test_a_verifier_is_salted_and_tells_no_password() -> None:
    """That it is the right one is proved above: the services log in by their passwords."""
    assert scram_verifier("pencil", b"0123456789abcdef").startswith("SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==$")
    assert scram_verifier("pencil") != scram_verifier("pencil")
    assert "pencil" not in scram_verifier("pencil")


@pytest.mark.parametrize("password", ["", "pass\nword", "пароль"])
def test_a_password_must_be_printable_ascii(password: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        scram_verifier(password)


async def test_a_service_needs_a_plain_name(connect: Connect) -> None:
    async with connect() as administrator:
        with pytest.raises(ValueError, match="not the name of a service"):
            await prepare_roles(administrator, ServiceRole('a"; DROP', "password"))


def test_migrations_of_a_service_have_one_place() -> None:
    assert versions_folder("intake").parts[-4:] == ("services", "intake", "migrations", "versions")
