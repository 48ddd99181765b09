"""The public doors, used as a careful client uses them: whoever gets no answer asks again, in the same words."""

import asyncio
from email.message import EmailMessage
from email.utils import format_datetime
from uuid import uuid4

import aiosmtplib
import httpx

from libs.chassis.clock import real_now
from libs.contracts.conversation import ConversationEvent
from libs.contracts.publisher import NotAccepted, Publisher
from tests.faults.harness.accepted import Accepted
from tests.faults.harness.rig import Rig

SOURCE = "chat"
MAILBOX = "help@support.example.com"
AGAIN_SECONDS = 0.3
SMTP_TROUBLE = (aiosmtplib.SMTPException, OSError, TimeoutError)


class Doors:
    """NATS, SMTP and HTTP. Every method returns when the system has accepted, however often it has to be asked."""

    def __init__(self, rig: Rig, accepted: Accepted) -> None:
        self._rig, self._accepted = rig, accepted
        password = rig.stack.folder.secrets.nats_password(SOURCE)
        url = rig.stack.nats.url.replace("nats://", f"nats://{SOURCE}:{password}@")
        self._publisher = Publisher(url, SOURCE, timeout=2.0, attempts=2)
        self._http = httpx.AsyncClient(
            base_url=rig.stack.urls["intake"], headers={"Authorization": f"Bearer {rig.token}"}, timeout=20
        )

    async def close(self) -> None:
        """Hang up."""
        await self._publisher.close()
        await self._http.aclose()

    async def say(self, event: ConversationEvent) -> None:
        """Publish until the broker confirms, always under the same id."""
        identity = uuid4().hex
        while True:
            try:
                await self._publisher.publish(event, identity)
                return
            except (NotAccepted, TimeoutError, OSError):
                await self._again()

    async def send(self, mail: EmailMessage) -> None:
        """Deliver until somebody says 250."""
        while True:
            try:
                await self._deliver(mail)
                return
            except SMTP_TROUBLE:
                await self._again()

    async def reply(self, ticket: str, text: str) -> str:
        """Answer a customer; the id of the message. The key stays the same, so it is written once."""
        key = uuid4().hex
        while True:
            try:
                answer = await self._http.post(
                    f"/v1/tickets/{ticket}/replies", json={"text": text}, headers={"Idempotency-Key": key}
                )
            except httpx.HTTPError:
                await self._again()
                continue
            if answer.is_success:
                return str(answer.json()["message_id"])
            if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR and answer.status_code != httpx.codes.CONFLICT:
                raise AssertionError(f"reply refused: {answer.status_code} {answer.text}")
            await self._again()

    async def change(self, ticket: str, **fields: str) -> None:
        """Change fields of a ticket; doing it twice has the effect of once."""
        answer = await self._http.patch(f"/v1/tickets/{ticket}", json=fields)
        assert answer.is_success, answer.text

    async def ticket_of(self, conversation: str) -> str:
        """The ticket of a conversation, once it has one."""
        while True:
            try:
                answer = await self._http.get(f"/v1/conversations/{SOURCE}/{conversation}", params={"wait": 5})
            except httpx.HTTPError:
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            if answer.is_success and answer.json()["ticket"] is not None:
                return str(answer.json()["ticket"])
            await asyncio.sleep(AGAIN_SECONDS)

    async def address_of(self, ticket: str) -> str:
        """Where the customer of a ticket can be answered; known late when a conversation comes out of order."""
        while True:
            try:
                answer = await self._http.get(f"/v1/tickets/{ticket}")
            except httpx.HTTPError:
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            customer = answer.json().get("customer") if answer.is_success else None
            if customer is not None and customer["email"] is not None:
                return str(customer["email"])
            await asyncio.sleep(AGAIN_SECONDS)

    async def half_a_mail(self, mail: EmailMessage) -> aiosmtplib.SMTP:
        """Begin a mail and stop in the middle of DATA. SMTP_TROUBLE when the door is shut."""
        client = self._client()
        await client.connect()
        try:
            await client.mail(str(mail["From"]))
            await client.rcpt(MAILBOX)
            await client.execute_command(b"DATA")
            assert isinstance(client.transport, asyncio.Transport)
            content = mail.as_bytes().replace(b"\n", b"\r\n")
            client.transport.write(content[: len(content) // 2])
        except SMTP_TROUBLE:
            client.close()
            raise
        return client

    async def _deliver(self, mail: EmailMessage) -> None:
        async with self._client() as client:
            await client.send_message(mail, sender=str(mail["From"]), recipients=[MAILBOX])

    def _client(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(hostname="127.0.0.1", port=self._rig.stack.smtp_port, start_tls=False, timeout=15)

    async def _again(self) -> None:
        self._accepted.resends += 1
        await asyncio.sleep(AGAIN_SECONDS)


def write_mail(mark: str, sender: str) -> EmailMessage:
    """A customer's mail; `mark` is in its subject."""
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, MAILBOX
    mail["Subject"] = f"Question about an invoice, {mark}"
    mail["Message-ID"] = f"<{mark}@customers.example>"
    mail["Date"] = format_datetime(real_now())
    mail.set_content("Dear team,\n\nplease look at the second line of my invoice.\n\nKind regards\n" * 8)
    return mail
