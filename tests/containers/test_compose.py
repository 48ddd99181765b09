"""The whole system as containers: a mail goes in by SMTP and comes out as a routed, acknowledged, timed ticket."""

import json
import random
import secrets
import smtplib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from functools import partial
from itertools import islice
from typing import Any

import httpx
import pytest

from libs.embedded.ports import is_free
from tests.containers.engine import ROOT, compose, has, require_engine, run

PROMETHEUS = "prom/prometheus:v2.53.3"
LOCAL_PROMETHEUS = "signalbox-test-prometheus"
READY_SECONDS = 180.0
SERVICES = ("intake", "router", "sla", "notifier", "reporting")


@dataclass
class Containers:
    """The running project."""

    command: list[str]
    environment: dict[str, str]

    def compose(self, *arguments: str, check: bool = True) -> str:
        return run(*self.command, *arguments, check=check, environment=self.environment)

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.environment[f'{name.upper()}_PORT']}"

    def signalbox(self, service: str, *arguments: str) -> str:
        """A command inside a service's container."""
        return self.compose("exec", "-T", service, "signalbox", *arguments)


@pytest.fixture(scope="module")
def containers() -> Iterator[Containers]:
    require_engine("python:3.11-slim", "nats:2-alpine", "postgres:15")
    tag = f"test-{secrets.token_hex(4)}"
    run("docker", "build", "-q", "-t", f"signalbox:{tag}", "-f", "deploy/Dockerfile", ".", timeout=900)
    names = ["INTAKE", "ROUTER", "SLA", "NOTIFIER", "REPORTING", "PROMETHEUS", "SMTP"]
    ports = {f"{name}_PORT": str(port) for name, port in zip(names, _ports(len(names)), strict=True)}
    environment = {**ports, "SIGNALBOX_TAG": tag, "PROMETHEUS_IMAGE": _prometheus(), "COMPOSE_PROJECT_NAME": tag}
    running = Containers(compose(), environment)
    try:
        running.compose("up", "-d", "--no-build")
        yield running
    finally:
        print(running.compose("logs", "--no-color", "--tail", "40", check=False)[-20_000:])
        running.compose("down", "-v", "--remove-orphans", "-t", "15", check=False)
        run("docker", "image", "rm", "-f", f"signalbox:{tag}", check=False)


def test_everything_becomes_ready(containers: Containers) -> None:
    for service in SERVICES:
        _until(partial(_is_ready, containers.url(service)))


def test_a_mail_becomes_a_routed_acknowledged_and_timed_ticket(containers: Containers) -> None:
    token = containers.signalbox("intake", "token", "create", "--role", "admin").strip()
    client = httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=10)
    _send(int(containers.environment["SMTP_PORT"]), "Refund for order 4711")

    ticket = _until(lambda: _ticket(client, containers.url("intake"), "Refund for order 4711"))
    why = _until(lambda: _found(client.get(f"{containers.url('router')}/v1/tickets/{ticket['id']}/why")))
    clocks = _until(lambda: _found(client.get(f"{containers.url('sla')}/v1/tickets/{ticket['id']}/clocks")))
    notices = _until(lambda: _sent(client, containers.url("notifier"), ticket["id"]))

    assert ticket["queue"] == "billing", json.dumps(why)
    assert clocks
    assert [notice["kind"] for notice in notices] == ["acknowledgment"]


def test_prometheus_scrapes_every_service(containers: Containers) -> None:
    query = f"{containers.url('prometheus')}/api/v1/query"

    def all_up() -> bool:
        answer = httpx.get(query, params={"query": 'up{job="signalbox"} == 1'}).json()["data"]["result"]
        return {series["metric"]["service"] for series in answer} == set(SERVICES)

    _until(all_up)


def _ports(count: int) -> list[int]:
    """Below those that embedded servers take: a container takes its port only half a minute after it was chosen."""
    free = (port for port in random.sample(range(10_000, 20_000), 500) if is_free(port))
    return list(islice(free, count))


def _prometheus() -> str:
    """The official image where it is, else one made from Debian's package."""
    if has(PROMETHEUS):
        return PROMETHEUS
    run(
        "docker",
        "build",
        "-q",
        "-t",
        LOCAL_PROMETHEUS,
        "-f",
        "tests/containers/prometheus.Dockerfile",
        str(ROOT / "deploy"),
    )
    return LOCAL_PROMETHEUS


def _send(port: int, subject: str) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Ada <ada@customers.example>", "support@example.com", subject
    mail["Message-ID"] = f"<{secrets.token_hex(8)}@customers.example>"
    mail.set_content("I would like my money back, please.")
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as smtp:
        smtp.send_message(mail)


def _ticket(client: httpx.Client, url: str, subject: str) -> dict[str, Any] | None:
    """The ticket once it is routed."""
    items: list[dict[str, Any]] = client.get(f"{url}/v1/tickets").raise_for_status().json()["items"]
    return next((item for item in items if item["subject"] == subject and item["queue"]), None)


def _is_ready(url: str) -> bool:
    return httpx.get(f"{url}/readyz").status_code == 200


def _sent(client: httpx.Client, url: str, ticket: str) -> list[dict[str, Any]]:
    """The notices of a ticket that left."""
    items: list[dict[str, Any]] = client.get(f"{url}/v1/notices", params={"ticket": ticket}).json()["items"]
    return [notice for notice in items if notice["state"] == "sent"]


def _found(answer: httpx.Response) -> Any:
    return answer.json() if answer.status_code == 200 else None


def _until(condition: Callable[[], Any]) -> Any:
    """Wait for something true; errors of a connection mean: not yet."""
    deadline = time.monotonic() + READY_SECONDS
    last: object = None
    while time.monotonic() < deadline:
        try:
            if last := condition():
                return last
        except (httpx.HTTPError, TypeError, OSError) as error:
            last = error
        time.sleep(0.2)
    raise AssertionError(f"not so within {READY_SECONDS:g} s; last: {last!r}")
