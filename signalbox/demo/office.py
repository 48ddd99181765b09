"""The people and programs around the system: each speaks to it with a token of their own, over HTTP."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from itertools import count
from types import TracebackType
from typing import Any, Self

import httpx

from libs.chassis.clock import real_now
from libs.chassis.tokens import Role, Tokens
from signalbox.failure import Failure

AT_ONCE = 8
LIFETIME = timedelta(hours=1)


class Office:
    """HTTP to all services. who: an agent's key, or None for the office's own system token."""

    def __init__(self, urls: Mapping[str, str], tokens: Tokens) -> None:
        self._clients = {name: httpx.AsyncClient(base_url=url, timeout=30) for name, url in urls.items()}
        self._tokens = tokens
        self._issued: dict[str | None, str] = {}
        self._keys = count(1)
        self._door = asyncio.Semaphore(AT_ONCE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(client.aclose() for client in self._clients.values()))

    async def get(self, service: str, path: str, who: str | None = None, **query: Any) -> Any:
        """The JSON of an answer; Failure with the problem's words."""
        return await self._ask(service, "GET", path, who, params=query)

    async def post(self, service: str, path: str, content: Mapping[str, Any], who: str | None = None) -> Any:
        """One request, under an Idempotency-Key of its own."""
        return await self._ask(
            service, "POST", path, who, json=content, headers={"Idempotency-Key": f"demo-{next(self._keys)}"}
        )

    async def patch(self, service: str, path: str, content: Mapping[str, Any], who: str | None = None) -> Any:
        """Change some of a thing."""
        return await self._ask(service, "PATCH", path, who, json=content)

    async def put(self, service: str, path: str, content: Mapping[str, Any], who: str | None = None) -> Any:
        """Make a thing exactly this."""
        return await self._ask(service, "PUT", path, who, json=content)

    async def pages(self, service: str, path: str, **query: Any) -> list[dict[str, Any]]:
        """All items of a list."""
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            more = {} if cursor is None else {"cursor": cursor}
            page = await self.get(service, path, **query, **more)
            items += page["items"]
            cursor = page.get("next")
            if cursor is None:
                return items

    async def _ask(self, service: str, method: str, path: str, who: str | None, **request: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._token(who)}", **request.pop("headers", {})}
        async with self._door:
            answer = await self._clients[service].request(method, path, headers=headers, **request)
        if answer.is_error:
            raise Failure(f"{service}: {method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json()

    def _token(self, who: str | None) -> str:
        if who not in self._issued:
            role = Role.SYSTEM if who is None else Role.AGENT
            self._issued[who] = self._tokens.issue(who or "demo", role, real_now(), agent=who, lifetime=LIFETIME)
        return self._issued[who]
