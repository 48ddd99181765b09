"""Probes and metrics, without a token."""

import asyncio

import httpx
import pytest

from libs.chassis import health
from tests.component.chassis.conftest import Door


@pytest.fixture
async def probe(client: httpx.AsyncClient) -> httpx.AsyncClient:
    del client.headers["Authorization"]
    return client


async def well() -> str | None:
    return None


async def behind() -> str | None:
    return "migrations are not at head"


async def broken() -> str | None:
    raise ConnectionRefusedError("connect to 10.0.0.7 failed")


async def silent() -> str | None:
    await asyncio.Event().wait()
    return None


@pytest.mark.parametrize("path", ["/livez", "/healthz"])
async def test_alive_says_nothing_about_what_is_away(probe: httpx.AsyncClient, door: Door, path: str) -> None:
    door.checks.add("postgres", broken)

    assert (await probe.get(path)).json() == {"status": "alive"}


async def test_ready_when_all_checks_are_well(probe: httpx.AsyncClient, door: Door) -> None:
    door.checks.add("postgres", well)

    answer = await probe.get("/readyz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


async def test_not_ready_names_the_reasons_when_asked(
    probe: httpx.AsyncClient, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PATIENCE", 0.05)
    for check in (well, behind, broken, silent):
        door.checks.add(check.__name__, check)

    short, long = await probe.get("/readyz"), await probe.get("/readyz?verbose")

    assert (short.status_code, short.json()) == (503, {"status": "not ready"})
    assert long.json()["checks"] == {
        "well": "ok",
        "behind": "migrations are not at head",
        "broken": "ConnectionRefusedError",
        "silent": "no answer within 0.05 s",
    }


async def test_a_check_registered_again_replaces_the_first(probe: httpx.AsyncClient, door: Door) -> None:
    door.checks.add("postgres", broken)
    door.checks.add("postgres", well)

    assert (await probe.get("/readyz")).status_code == 200


async def test_metrics_as_text_and_with_exemplars_as_openmetrics(probe: httpx.AsyncClient, door: Door) -> None:
    door.metrics.consumer.event_age.labels("intake").observe(0.2, {"trace_id": "4bf9"})

    text = await probe.get("/metrics")
    open_metrics = await probe.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})

    assert text.headers["Content-Type"].startswith("text/plain")
    assert "4bf9" not in text.text
    assert 'signalbox_build_info{service="things",version="1.2.3"} 1.0' in text.text
    assert "process_resident_memory_bytes" in text.text
    assert open_metrics.headers["Content-Type"].startswith("application/openmetrics-text")
    assert 'trace_id="4bf9"' in open_metrics.text
    assert open_metrics.text.endswith("# EOF\n")
