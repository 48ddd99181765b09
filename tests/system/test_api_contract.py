"""The HTTP API of the whole system against its own documents: every POST counts once (I-2), and requests that nobody
thought of are answered as documented (I-5).
"""

import asyncio
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import asyncpg
import httpx
import pytest

from libs.chassis.tokens import Role
from libs.embedded.data_folder import DataFolder
from libs.embedded.postgres_server import PostgresServer
from signalbox.services import SERVICES
from tests.support.system import System
from tests.system.api_surface import Operation, operations, token

SEED = """
INSERT INTO {service}.idempotency (caller, key, request_hash, status, response, headers, created_at)
VALUES ('walker', $1, $2, 200, '{{"kept": true}}', '{{"x-first": "yes"}}', clock_timestamp())
"""

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
OTHERWISE_TESTED = r"/settled$|/v1/conversations/[^/]*/[^/]*$|/v1/emails$|/v1/mail/import$"
"""Routes that may wait for a minute, and bodies that are no JSON."""


@pytest.fixture(scope="module")
def urls(system: System) -> dict[str, str]:
    return {name: found["url"] for name, found in system.document("status", "--json")["services"].items()}


async def seed(system: System, operation: Operation, key: str, hash: str) -> None:
    connection = await asyncpg.connect(PostgresServer(DataFolder(system.data)).url_of("postgres"))
    try:
        await connection.execute(SEED.format(service=operation.service), key, hash)
    finally:
        await connection.close()


@pytest.mark.parametrize("service", SERVICES)
def test_I2_every_post_gives_its_first_answer_again_and_refuses_another_body(
    system: System, urls: dict[str, str], service: str
) -> None:
    """What was answered first is put there: then it has to come back, whatever the route would do now."""
    headers = {"Authorization": f"Bearer {token(system, Role.ADMIN, 'walker', 'mira')}"}
    posts = [each for each in operations(service, urls[service]) if each.method == "POST"]
    assert posts
    with httpx.Client(base_url=urls[service], headers=headers) as client:
        for place, operation in enumerate(posts):
            kind, body = operation.content
            path, _, query = operation.url.partition("?")
            hash = sha256(f"POST {path}?{query} {kind}\n".encode() + body).hexdigest()
            sent = {"content-type": kind} if kind else {}
            for key, stored, status in ((f"same-{place}", hash, 200), (f"other-{place}", "another", 409)):
                asyncio.run(seed(system, operation, key, stored))
                answer = client.post(operation.url, content=body, headers={**sent, "Idempotency-Key": key})
                assert answer.status_code == status, f"{operation}: {answer.status_code} {answer.text}"
                if status == 200:
                    assert (answer.json(), answer.headers["x-first"]) == ({"kept": True}, "yes"), str(operation)
                    assert answer.headers["idempotent-replayed"] == "true"
                else:
                    assert answer.json()["type"] == "urn:signalbox:problem:key-reused", str(operation)


@pytest.mark.parametrize("service", SERVICES)
def test_I5_what_nobody_thought_of_is_answered_as_documented(
    system: System, urls: dict[str, str], service: str
) -> None:
    """Schemathesis makes requests from the document: no server error, no answer that the document does not know."""
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("schemathesis"), "run", f"{urls[service]}/openapi.json"),
            *("--header", f"Authorization: Bearer {token(system, Role.ADMIN, 'fuzzer')}"),
            *("--checks", CHECKS, "--phases", "examples,fuzzing", "--max-examples", "10", "--seed", "1"),
            *("--request-timeout", "20", "--no-color", "--exclude-path-regex", OTHERWISE_TESTED),
        ],
        cwd=system.data,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


def test_J2_the_command_finds_the_journal_of_a_running_system_sound(system: System, urls: dict[str, str]) -> None:
    headers = {"Authorization": f"Bearer {token(system, Role.AGENT, 'mira', 'mira')}"}
    with httpx.Client(base_url=urls["intake"], headers=headers) as client:
        ticket = client.post("/v1/tickets", json={"text": "It flickers"}).json()
    found = system.document("tickets", "verify", "--json")
    assert found["sound"] is True
    assert found["tickets"] >= 1
    one = system.document("tickets", "verify", ticket["reference"], "--json")
    assert (one["tickets"], one["faults"]) == (1, [])
