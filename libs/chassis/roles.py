"""The PostgreSQL roles of a service: `<service>_owner` owns the schema and cannot log in, `<service>` works in it.

No service reads another's schema, makes or drops tables, or changes what it said.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

import asyncpg
import stamina

MILLISECONDS = 1000
SCRAM_ROUNDS = 4096
# roles belong to the whole cluster, the advisory lock to one database: two databases may still meet here
RACES = (asyncpg.UniqueViolationError, asyncpg.DuplicateObjectError, asyncpg.InternalServerError)

EXISTS = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)"
PUBLIC_IS_OPEN = """
SELECT EXISTS (
    SELECT FROM pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner)))
    WHERE nspname = 'public' AND grantee = 0
)
"""
IS_SUPERUSER = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"


@dataclass(frozen=True, slots=True)
class ServiceRole:
    """What one service's role gets: its password (printable ASCII) and its time limits in seconds.

    `statement_timeout` ends a statement, `idle_in_transaction_timeout` a connection that holds a transaction open
    without working: it would keep every hearer's repair from seeing newer facts.
    """

    service: str
    password: str
    statement_timeout: float = 30.0
    idle_in_transaction_timeout: float = 10.0


async def prepare_roles(administrator: asyncpg.Connection, *roles: ServiceRole) -> None:
    """Make or correct the roles and the empty schema of each service; doing it again, or at the same time, is harmless.

    The administrator is a superuser, or may create roles, and schemas in this database; the roles are then its own.
    """
    async for attempt in stamina.retry_context(on=RACES, attempts=10, wait_initial=0.02, wait_max=0.5):
        with attempt:
            async with administrator.transaction():
                await administrator.execute("SELECT pg_advisory_xact_lock(hashtext('signalbox.roles'))")
                if await administrator.fetchval(PUBLIC_IS_OPEN):
                    await administrator.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
                for role in roles:
                    await _prepare(administrator, role)


def scram_verifier(password: str, salt: bytes | None = None) -> str:
    """What PostgreSQL keeps instead of a password (SCRAM-SHA-256), so that the password itself is in no log.

    ValueError for a password that is empty or not printable ASCII.
    """
    if not (password.isascii() and password.isprintable() and password):
        raise ValueError("a role's password must be printable ASCII and not empty")
    seasoning = secrets.token_bytes(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), seasoning, SCRAM_ROUNDS)
    stored = hashlib.sha256(_signed(salted, b"Client Key")).digest()
    server = _signed(salted, b"Server Key")
    return f"SCRAM-SHA-256${SCRAM_ROUNDS}:{_base64(seasoning)}${_base64(stored)}:{_base64(server)}"


async def _prepare(administrator: asyncpg.Connection, role: ServiceRole) -> None:
    service, owner = _quoted(role.service), _quoted(f"{role.service}_owner")
    if not await administrator.fetchval(EXISTS, f"{role.service}_owner"):
        await administrator.execute(f"CREATE ROLE {owner} NOLOGIN")
        if not await administrator.fetchval(IS_SUPERUSER):
            await administrator.execute(f"GRANT {owner} TO CURRENT_USER")
    if not await administrator.fetchval(EXISTS, role.service):
        await administrator.execute(f"CREATE ROLE {service} LOGIN")
    await administrator.execute(f"CREATE SCHEMA IF NOT EXISTS {service} AUTHORIZATION {owner}")
    for statement in (*_limits(role), *_rights(service, owner)):
        await administrator.execute(statement)


def _limits(role: ServiceRole) -> list[str]:
    alter = f"ALTER ROLE {_quoted(role.service)}"
    idle = int(role.idle_in_transaction_timeout * MILLISECONDS)
    return [
        f"{alter} LOGIN PASSWORD '{scram_verifier(role.password)}'",
        f"{alter} SET search_path TO {_quoted(role.service)}",
        f"{alter} SET statement_timeout TO {int(role.statement_timeout * MILLISECONDS)}",
        f"{alter} SET idle_in_transaction_session_timeout TO {idle}",
    ]


def _rights(service: str, owner: str) -> list[str]:
    made_later = f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {service} GRANT"
    return [
        f"GRANT USAGE ON SCHEMA {service} TO {service}",
        f"{made_later} SELECT, INSERT, UPDATE, DELETE ON TABLES TO {service}",
        f"{made_later} USAGE, SELECT ON SEQUENCES TO {service}",
    ]


def _quoted(name: str) -> str:
    if not name.isidentifier():
        raise ValueError(f"not the name of a service: {name!r}")
    return f'"{name}"'


def _signed(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, "sha256")


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
