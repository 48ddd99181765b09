"""The publisher's twin for systems that speak HTTP: the same events, signed, answered when they are stored."""

import base64
from collections.abc import Iterable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from uuid import uuid4

import httpx
import stamina
from standardwebhooks.webhooks import Webhook

from libs.contracts.envelope import CloudEvent
from libs.contracts.event import Event
from libs.contracts.publisher import SOURCE_NAME, NotAccepted, Outgoing, about

PATH = "/v1/conversation-events"
MOST = 500
"""Events of one request."""
MEDIA_TYPE = "application/cloudevents-batch+json"
LATER = frozenset({409, 429, 500, 502, 503, 504})


class EventRefused(ValueError):
    """An event that will never be accepted as it is; `reason` names the field."""

    def __init__(self, id: str | None, reason: str) -> None:
        self.id, self.reason = id, reason
        super().__init__(f"event {id} was refused: {reason}")


class _TryLater(Exception):
    def __init__(self, reason: str, seconds: float | None = None) -> None:
        self.seconds = seconds
        super().__init__(reason)


class HttpPublisher:
    """Publishes the events of one source over HTTP.

    Every request is signed with the source's secret (Standard Webhooks) or carries a token. What is not answered within
    `timeout` seconds, or answered by "not now" (409, 429, 5xx), is sent again under the same ids, `attempts` times in
    all, after the seconds that Retry-After names: that has the effect of once.
    """

    def __init__(
        self,
        url: str,
        source: str,
        *,
        secret: str | None = None,
        token: str | None = None,
        timeout: float = 10.0,
        attempts: int = 5,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        """`url`: where intake is reached. One of `secret` (`whsec_...`) and `token`. `client`: one's own, stays open.

        ValueError for a source that is no token of a subject, or for none or both of secret and token.
        """
        if not SOURCE_NAME.fullmatch(source):
            raise ValueError(f"source: {source!r} must have a to z, 0 to 9, _ and - only, and at most 63 of them")
        if (secret is None) == (token is None):
            raise ValueError("give either a secret or a token")
        self.source = source
        self._url = url.rstrip("/") + PATH
        self._webhook = None if secret is None else Webhook(secret)
        self._token = token
        self._timeout, self._attempts = timeout, attempts
        self._given = client
        self._client = client or httpx.AsyncClient()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections, if they are the publisher's own."""
        if self._given is None:
            await self._client.aclose()

    async def publish(self, event: Event, id: str | None = None, *, time: datetime | None = None) -> str:
        """Publish one event and wait until it is stored; its id. Without an id it gets a random one; without a time,
        now. EventRefused when it can never be accepted, NotAccepted when all attempts failed.
        """
        return (await self.publish_many([Outgoing(event, id, time)]))[0]

    async def publish_many(self, events: Iterable[Event | Outgoing]) -> list[str]:
        """Publish events in order, 500 in a request; their ids. Of a request with refused events the others are stored.

        Stops after the first request with a failure: ExceptionGroup of EventRefused for each refused event of it.
        """
        envelopes = [self._envelope(each) for each in events]
        for start in range(0, len(envelopes), MOST):
            await self._send(envelopes[start : start + MOST])
        return [envelope.id for envelope in envelopes]

    def _envelope(self, given: Event | Outgoing) -> CloudEvent:
        outgoing = Outgoing(given) if isinstance(given, Event) else given
        return CloudEvent(
            id=outgoing.id or uuid4().hex,
            source=self.source,
            type=outgoing.event.TYPE,
            time=outgoing.time or datetime.now(UTC),
            subject=about(outgoing.event),
            data=outgoing.event.wire_json(),
        )

    async def _send(self, envelopes: list[CloudEvent]) -> None:
        body = b"[" + b",".join(envelope.to_structured() for envelope in envelopes) + b"]"
        message_id = uuid4().hex
        caller = stamina.AsyncRetryingCaller(attempts=self._attempts, timeout=None)
        try:
            answer = await caller.on(_delay)(self._ask, body, message_id)
        except (_TryLater, httpx.TransportError) as error:
            raise NotAccepted(envelopes[0].id, str(error) or type(error).__name__) from error
        refused = _refused(answer, envelopes)
        if len(refused) == 1 == len(envelopes):
            raise refused[0]
        if refused:
            raise ExceptionGroup(f"{len(refused)} of {len(envelopes)} events were refused", refused)

    async def _ask(self, body: bytes, message_id: str) -> httpx.Response:
        answer = await self._client.post(
            self._url,
            content=body,
            headers=self._headers(body, message_id),
            params={"source": self.source} if self._webhook is not None else None,
            timeout=self._timeout,
        )
        if answer.status_code in LATER and not _is_final(answer):
            seconds = answer.headers.get("retry-after", "")
            raise _TryLater(f"{answer.status_code} {_detail(answer)}", float(seconds) if seconds.isdigit() else None)
        return answer

    def _headers(self, body: bytes, message_id: str) -> dict[str, str]:
        headers = {"content-type": MEDIA_TYPE}
        if self._webhook is None:
            return headers | {"authorization": f"Bearer {self._token}", "idempotency-key": message_id}
        now = datetime.now(UTC)
        return headers | {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(message_id, now, body.decode()),
        }


def new_secret(random: bytes) -> str:
    """A secret for a source, of 24 to 64 random bytes. ValueError for fewer or more."""
    if not 24 <= len(random) <= 64:
        raise ValueError("a secret has 24 to 64 bytes")
    return "whsec_" + base64.b64encode(random).decode()


def _delay(error: Exception) -> bool | float:
    if isinstance(error, _TryLater):
        return True if error.seconds is None else error.seconds
    return isinstance(error, httpx.TransportError)


def _is_final(answer: httpx.Response) -> bool:
    """A 409 says that the first request still runs, or that the key belongs to another body: then nothing helps."""
    return answer.status_code == 409 and "retry-after" not in answer.headers


def _refused(answer: httpx.Response, envelopes: list[CloudEvent]) -> list[EventRefused]:
    if answer.status_code == 202:
        return []
    if answer.status_code == 207:
        return [EventRefused(item["id"], item["reason"]) for item in answer.json()["items"] if not item["accepted"]]
    if answer.status_code == 422:
        return [EventRefused(envelope.id, _detail(answer)) for envelope in envelopes]
    raise NotAccepted(envelopes[0].id, f"{answer.status_code} {_detail(answer)}")


def _detail(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
        return str(problem.get("detail") or problem.get("title"))
    except (ValueError, AttributeError):
        return answer.text[:200]
