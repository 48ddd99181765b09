"""Is the process alive, can it do its work, what does it count: for probes and Prometheus, without a token."""

import asyncio
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client.exposition import choose_encoder

from libs.chassis.metrics import Metrics
from libs.chassis.tokens import anyone

PATIENCE = 2.0

Check = Callable[[], Awaitable[str | None]]
"""None if all is well, else the reason why not."""


class Checks:
    """What has to be well before a service is ready, by name. A check has 2 s; one that fails is a reason, too."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def add(self, name: str, check: Check) -> None:
        """Register a check; a name registered before is replaced."""
        self._checks[name] = check

    async def run(self) -> dict[str, str | None]:
        """All checks at once: name -> None, or the reason."""
        answers = await asyncio.gather(*map(_patiently, self._checks.values()), return_exceptions=True)
        return {name: _reason(answer) for name, answer in zip(self._checks, answers, strict=True)}


async def _patiently(check: Check) -> str | None:
    try:
        async with asyncio.timeout(PATIENCE):
            return await check()
    except TimeoutError:
        return f"no answer within {PATIENCE:g} s"


def _reason(answer: str | BaseException | None) -> str | None:
    # what the exception says may name hosts and users: its kind is enough without a token
    return type(answer).__name__ if isinstance(answer, BaseException) else answer


router = APIRouter(tags=["operations"], dependencies=[Depends(anyone)])


@router.get("/healthz", include_in_schema=False)
@router.get("/livez", summary="Is the event loop alive?")
async def livez() -> dict[str, str]:
    """200 while the process can answer at all; says nothing about the database or the broker."""
    return {"status": "alive"}


@router.get("/readyz", summary="Can the service do its work?", responses={503: {"description": "Not now"}})
async def readyz(request: Request) -> JSONResponse:
    """200 or 503. With `?verbose` each check is named with its reason."""
    checks: Checks = request.app.state.checks
    reasons = await checks.run()
    ready = not any(reasons.values())
    content: dict[str, object] = {"status": "ready" if ready else "not ready"}
    if "verbose" in request.query_params:
        content["checks"] = {name: reason or "ok" for name, reason in reasons.items()}
    return JSONResponse(content, 200 if ready else 503)


TEXT = {"text/plain": {"schema": {"type": "string"}}}


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses={200: {"content": TEXT, "description": "The present values"}},
)
async def metrics(request: Request) -> Response:
    """The text format, or OpenMetrics (with exemplars) if the Accept header asks for it."""
    counted: Metrics = request.app.state.metrics
    encode, media_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(counted.registry), headers={"Content-Type": media_type})
