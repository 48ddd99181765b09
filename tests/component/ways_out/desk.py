"""All five services on one broker and one database, with a mail server for what leaves."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx

from libs.chassis.clock import real_now
from libs.chassis.process import Process
from libs.chassis.tokens import Role
from signalbox.configuration import read_configuration
from signalbox.services import SERVICES, hears
from signalbox.spool import Spool, SpooledMail, read_spool
from tests.support.stack import Stack, until

CONFIG = Path(__file__).parents[3] / "config"
MAILBOX = "help@support.example.com"


@dataclass
class Desk:
    """The running services by name."""

    stack: Stack
    spool: Spool
    services: dict[str, Process]

    def token(self, role: Role, *scopes: str) -> str:
        """A token of somebody with this role, limited to these scopes if any are given."""
        agent = None if role is Role.SYSTEM else "amira"
        tokens = self.services["intake"].resources.tokens
        lifetime = timedelta(hours=1)
        return tokens.issue(agent or "shop", role, real_now(), agent=agent, lifetime=lifetime, scopes=scopes or None)

    def client(self, service: str, role: Role, *scopes: str) -> httpx.AsyncClient:
        """Who speaks to a service."""
        return self.stack.client(self.services[service], self.token(role, *scopes))

    async def read(self, role: Role, *paths: str, service: str = "intake") -> list[str]:
        """What each of these answers."""
        found: list[str] = []
        async with self.client(service, role) as client:
            for path in paths:
                answer = await client.get(path)
                assert answer.status_code == 200, (path, answer.text)
                found.append(answer.text)
        return found

    async def ask(self, method: str, path: str, body: Any, role: Role = Role.AGENT) -> dict[str, Any]:
        """One request that must go well."""
        async with self.client("intake", role) as client:
            answer = await client.request(method, path, json=body)
        assert answer.is_success, (path, answer.text)
        return dict(answer.json())

    async def write(
        self, sender: str, subject: str, text: str, files: tuple[str, ...] = (), **headers: str
    ) -> dict[str, Any]:
        """A mail comes in; what became of it."""
        written = EmailMessage(policy=SMTP)
        written["From"], written["To"], written["Subject"] = sender, MAILBOX, subject
        for name, value in headers.items():
            written[name.replace("_", "-")] = value
        written.set_content(text)
        for name in files:
            written.add_attachment(name.encode(), maintype="text", subtype="plain", filename=f"{name}.txt")
        headed = {"Content-Type": "message/rfc822"}
        async with self.client("intake", Role.SYSTEM) as client:
            answer = await client.post("/v1/emails", content=written.as_bytes(), headers=headed)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def mails(self, recipient: str) -> list[SpooledMail]:
        """What has left to an address."""
        return [mail for mail in read_spool(self.spool.folder) if recipient in mail.recipients]

    async def mailed(self, recipient: str, words: str) -> SpooledMail:
        """The mail with these words, as soon as it has left."""
        found: list[SpooledMail] = await until(
            lambda: [mail for mail in self.mails(recipient) if words in f"{mail.subject}\n{mail.text}"]
        )
        return found[0]


@asynccontextmanager
async def open_desk(stack: Stack, folder: Path) -> AsyncIterator[Desk]:
    """Until the block ends; with the example configuration, in which one domain is denied."""
    files = read_configuration(CONFIG)
    files["mail.yaml"]["inbound"]["deny"] = ["denied.example"]
    spool = Spool(folder)
    await spool.start()
    await stack.provision({service: hears(service) for service in SERVICES})
    await stack.configure(files)
    services: dict[str, Process] = {}
    async with AsyncExitStack() as running:
        for service in SERVICES:
            app = import_module(f"services.{service}.app")
            given = {"smtp_url": spool.url} if service == "notifier" else {}
            settings = stack.settings(app.SETTINGS, service, pool_size=4, **given)
            services[service] = await running.enter_async_context(stack.running(app.build(settings)))
        yield Desk(stack, spool, services)
    await spool.stop()
