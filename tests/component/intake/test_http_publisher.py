"""Conversation events over HTTP: signed by their source, each with the effect of once (behaviour I-6)."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import stamina
from standardwebhooks.webhooks import Webhook

from libs.chassis.process import Process
from libs.contracts.conversation import ConversationMessageAdded, Role, TicketRequested
from libs.contracts.http_publisher import MEDIA_TYPE, PATH, EventRefused, HttpPublisher, new_secret
from libs.contracts.publisher import NotAccepted, Outgoing
from services.intake.app import SETTINGS, build
from services.intake.handlers import HEARS
from services.intake.source_secrets import SourceSecrets
from tests.component.intake.conftest import Intake, files
from tests.support.stack import Stack, until

OLD, NEW, SHOPS = (new_secret(bytes([number]) * 32) for number in (1, 2, 3))
SECRETS = f"""
# chat changes its secret
chat {OLD}
chat {NEW}
shop {SHOPS}
"""


@pytest.fixture(scope="module")
async def process(stack: Stack, intake: Intake) -> AsyncIterator[Process]:
    await stack.provision({"intake": tuple(HEARS)})
    await stack.configure(files())
    async with stack.running(build(stack.settings(SETTINGS, "intake", source_secrets=SECRETS))) as process:
        yield process


def message(conversation: str, seq: int, text: str = "Grüße") -> ConversationMessageAdded:
    return ConversationMessageAdded(conversation_id=conversation, seq=seq, role=Role.CUSTOMER, text=text)


async def stored(intake: Intake, conversation: str, count: int) -> None:
    async def there() -> bool:
        rows = await intake.fetch("SELECT seq FROM messages WHERE conversation_id = $1 ORDER BY seq", conversation)
        return [row["seq"] for row in rows] == list(range(1, count + 1))

    await until(there)


@pytest.mark.parametrize("secret", [OLD, NEW])
async def test_I6_a_source_signs_what_it_says(process: Process, intake: Intake, secret: str) -> None:
    conversation = f"signed-{secret[-5:]}"
    async with HttpPublisher(process.url, "chat", secret=secret) as publisher:
        first, third = f"{conversation}/1", f"{conversation}/3"
        assert await publisher.publish(message(conversation, 1), first) == first
        ids = await publisher.publish_many([message(conversation, 2), Outgoing(message(conversation, 3), third)])
        assert ids[1] == third
        await publisher.publish(TicketRequested(conversation_id=conversation, subject="Lamp"))
    await stored(intake, conversation, 3)

    async def ticket() -> Any:
        return await intake.fetch(
            "SELECT ticket_id FROM conversations WHERE conversation_id = $1 AND ticket_id IS NOT NULL", conversation
        )

    await until(ticket)


async def test_I6_a_program_may_use_its_token_instead(process: Process, intake: Intake, stack: Stack) -> None:
    token = process.resources.peers.headers["authorization"].removeprefix("Bearer ")
    async with HttpPublisher(process.url, "kiosk", token=token) as publisher:
        await publisher.publish_many(message("by-token", seq) for seq in range(1, 604))
    await stored(intake, "by-token", 603)


class LostAnswers(httpx.AsyncBaseTransport):
    """Delivers everything, and loses the first answers on their way back."""

    def __init__(self, lost: int) -> None:
        self.inner, self.lost, self.sent = httpx.AsyncHTTPTransport(), lost, list[httpx.Request]()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self.inner.handle_async_request(request)
        self.sent.append(request)
        if len(self.sent) <= self.lost:
            await response.aread()
            raise httpx.ReadError("connection reset")
        return response


async def test_I6_an_answer_that_got_lost_makes_nothing_twice(process: Process, intake: Intake) -> None:
    network = LostAnswers(2)
    async with httpx.AsyncClient(transport=network) as client:
        with stamina.set_testing(True, attempts=4):
            await HttpPublisher(process.url, "shop", secret=SHOPS, client=client).publish(message("lost", 1))
    assert len({request.headers["webhook-id"] for request in network.sent}) == 1
    assert len(network.sent) == 3
    await stored(intake, "lost", 1)


async def test_I6_who_never_gets_an_answer_is_told_so(process: Process) -> None:
    async with httpx.AsyncClient(transport=LostAnswers(9)) as client:
        publisher = HttpPublisher(process.url, "shop", secret=SHOPS, client=client, attempts=2)
        with stamina.set_testing(True, attempts=2), pytest.raises(NotAccepted, match="connection reset"):
            await publisher.publish(message("unanswered", 1), "u-1")


async def test_I6_what_can_never_be_accepted_is_refused_and_the_rest_is_stored(
    process: Process, intake: Intake
) -> None:
    wrong = TicketRequested(conversation_id="mixed").model_copy(update={"priority": "sky-high"})
    async with HttpPublisher(process.url, "shop", secret=SHOPS) as publisher:
        with pytest.raises(ExceptionGroup) as some:
            await publisher.publish_many([Outgoing(wrong, "odd"), Outgoing(message("mixed", 1), "even")])
        with pytest.raises(EventRefused, match=r"event odd was refused: .*priority"):
            await publisher.publish(wrong, "odd")
    (refused,) = some.value.exceptions
    assert isinstance(refused, EventRefused)
    assert (refused.id, refused.reason.partition(":")[0]) == ("odd", "data.priority")
    await stored(intake, "mixed", 1)


def signed(process: Process, secret: str, **changes: Any) -> dict[str, Any]:
    """A request as a source's own code would make it."""
    at = changes.get("at", datetime.now(UTC)) + changes.get("off", timedelta())
    event = {
        "specversion": "1.0",
        "id": changes.get("id", "r-1"),
        "source": changes.get("source", "chat"),
        "type": ConversationMessageAdded.TYPE,
        "data": {"conversation_id": "replayed", "seq": 1, "role": "customer", "text": changes.get("text", "hello")},
    }
    body = json.dumps([event])
    return {
        "url": f"{process.url}{PATH}",
        "params": {"source": changes.get("named", "chat")},
        "content": changes.get("sent", body),
        "headers": {
            "content-type": MEDIA_TYPE,
            "webhook-id": changes.get("webhook_id", "w-1"),
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret).sign(changes.get("webhook_id", "w-1"), at, body),
        },
    }


async def test_I6_a_request_that_is_played_again_gets_the_first_answer(process: Process) -> None:
    async with httpx.AsyncClient() as client:
        request = signed(process, OLD)
        first, again = await client.post(**request), await client.post(**request)
        assert (first.status_code, again.status_code) == (202, 202)
        assert (first.json(), again.headers["idempotent-replayed"]) == (again.json(), "true")
        other = await client.post(**signed(process, OLD, text="another body under the same id"))
        assert (other.status_code, other.json()["type"]) == (409, "urn:signalbox:problem:key-reused")


@pytest.mark.parametrize(
    "changes",
    [
        {"off": timedelta(minutes=-6)},
        {"off": timedelta(minutes=6)},
        {"secret": SHOPS},
        {"named": "shop"},
        {"named": "nobody"},
        {"sent": "[]"},
    ],
)
async def test_I6_a_signature_that_does_not_hold_is_refused(process: Process, changes: dict[str, Any]) -> None:
    secret = changes.pop("secret", OLD)
    async with httpx.AsyncClient() as client:
        assert (await client.post(**signed(process, secret, webhook_id="w-2", **changes))).status_code == 401
        broken = signed(process, OLD, webhook_id="w-2")
        for value in ("v1", "v1,%%%", "nonsense", "v2,aGVsbG8=", ",,"):
            broken["headers"]["webhook-signature"] = value
            assert (await client.post(**broken)).status_code == 401
        del broken["headers"]["webhook-id"]
        assert (await client.post(**broken)).status_code == 401


async def test_I6_a_source_speaks_for_itself_alone(process: Process) -> None:
    async with httpx.AsyncClient() as client:
        response = await client.post(**signed(process, OLD, source="shop", webhook_id="w-3"))
    assert response.status_code == 422
    assert "chat may not speak for 'shop'" in response.json()["detail"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("chat", "line 1 is not"),
        ("a.b whsec_" + "A" * 44, "line 1 is not"),
        ("# fine\nchat whsec_c2hvcnQ=", "line 2: a secret is"),
        ("chat " + "A" * 44, "line 1: a secret is"),
        ("chat whsec_é", "line 1: the secret is not"),
    ],
)
def test_I6_a_file_of_secrets_that_is_wrong_is_refused_at_the_start(line: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        SourceSecrets(line)
