"""Every error is a problem (RFC 9457) that says what to do about it and nothing about the inside."""

from typing import Any

import httpx
import pytest

from tests.component.chassis.conftest import Door


def read_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert problem["type"].startswith("urn:signalbox:problem:")
    assert problem["instance"] == answer.request.url.path
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    return problem


async def test_a_wrong_body_names_each_field_and_reason_but_not_the_value(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/things", json={"size": 0})

    problem = read_problem(answer, 422)
    assert {fault["field"] for fault in problem["errors"]} == {"body.name", "body.size"}
    assert "body.size: Input should be greater than or equal to 1" in problem["detail"]
    assert "input" not in str(problem["errors"]).replace("Input", "")


async def test_a_wrong_path_parameter_is_named(client: httpx.AsyncClient) -> None:
    problem = read_problem(await client.get("/v1/things/numbers/seven"), 422)

    assert problem["errors"][0]["field"] == "path.number"


async def test_a_body_that_is_no_json_is_invalid(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/things", content=b"{", headers={"Content-Type": "application/json"})

    assert read_problem(answer, 422)["errors"]


async def test_an_unknown_path(client: httpx.AsyncClient) -> None:
    assert read_problem(await client.get("/v1/nothing"), 404)["title"] == "Not Found"


async def test_a_method_that_a_path_does_not_have(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/v1/things")

    assert read_problem(answer, 405)["type"].endswith(":method-not-allowed")
    assert "POST" in answer.headers["Allow"]


async def test_a_conflict_says_what_is_allowed(client: httpx.AsyncClient) -> None:
    problem = read_problem(await client.post("/v1/things/conflict"), 409)

    assert problem["allowed"] == ["open"]
    assert problem["detail"] == "a closed ticket cannot be pending"


async def test_a_stale_version_is_told_the_present_one(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/things/stale")

    assert "If-Match" in read_problem(answer, 412)["detail"]
    assert answer.headers["ETag"] == '"7"'


async def test_a_question_that_takes_too_long_is_unprocessable(client: httpx.AsyncClient) -> None:
    assert read_problem(await client.get("/v1/things/slow-question"), 422)["title"] == "Statement timeout"


async def test_a_database_that_is_away_is_tried_again_later(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/things/away")

    assert "10.0.0.7" not in str(read_problem(answer, 503))
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize(("route", "inside"), [("crash", "secret detail"), ("duplicate", "people_email")])
async def test_a_crash_gives_its_request_id_and_nothing_else(
    client: httpx.AsyncClient, route: str, inside: str
) -> None:
    answer = await client.get(f"/v1/things/{route}", headers={"X-Request-ID": "mine-1"})

    problem = read_problem(answer, 500)
    assert set(problem) == {"type", "title", "status", "instance", "request_id"}
    assert problem["request_id"] == "mine-1"
    assert inside not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("size", [101, 5000])
async def test_a_body_announced_over_the_limit_is_refused(client: httpx.AsyncClient, size: int) -> None:
    answer = await client.post("/v1/things", content=b"x" * size)

    assert read_problem(answer, 413)["limit"] == 100


@pytest.mark.parametrize("path", ["/v1/things", "/v1/things/big"])
async def test_a_body_without_a_length_is_refused_as_soon_as_it_is_over(client: httpx.AsyncClient, path: str) -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while sent < 1_000_000:
            sent += 50
            yield b"x" * 50

    answer = await client.post(path, content=endless(), headers={"Content-Type": "application/json"})

    read_problem(answer, 413)
    assert sent <= 1050


async def test_a_route_may_have_a_limit_of_its_own(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/things/big", content=b"x" * 1000)).json() == 1000
    assert read_problem(await client.post("/v1/things/big", content=b"x" * 1001), 413)["limit"] == 1000


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "<script>"])
async def test_a_request_id_that_is_not_safe_is_replaced(client: httpx.AsyncClient, given: str) -> None:
    answer = await client.get("/v1/things/open", headers={"X-Request-ID": given})

    assert len(answer.headers["X-Request-ID"]) == 32


async def test_requests_are_counted_by_the_template_of_their_route(client: httpx.AsyncClient, door: Door) -> None:
    for number in range(3):
        await client.get(f"/v1/things/numbers/{number}")
    await client.get("/v1/elsewhere")
    await client.get("/v1/things/crash")
    await client.request("BREW", "/v1/things/open")

    def count(method: str, route: str, status: str) -> float | None:
        labels = {"method": method, "route": route, "status": status}
        return door.metrics.registry.get_sample_value("signalbox_http_requests_total", labels)

    assert count("GET", "/v1/things/numbers/{number}", "200") == 3
    assert count("GET", "unmatched", "404") == 1
    assert count("GET", "/v1/things/crash", "500") == 1
    assert count("other", "/v1/things/open", "405") == 1


async def test_the_documentation_is_there(client: httpx.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()
    page = await client.get("/docs")

    assert described["info"] == {"title": "Signalbox things", "version": "1.2.3"}
    assert described["paths"]["/v1/things/leads"]["get"]["security"] == [{"HTTPBearer": []}]
    assert "security" not in described["paths"]["/v1/things/open"]["get"]
    assert "script-src" in page.headers["Content-Security-Policy"]


async def test_every_error_of_every_route_is_documented(client: httpx.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()

    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            for code in ("4XX", "5XX"):
                content = operation["responses"][code]["content"]
                assert list(content) == ["application/problem+json"], (path, method)
    assert set(described["components"]["schemas"]["Problem"]["required"]) == {"type", "title", "status"}
    assert "HTTPValidationError" not in described["components"]["schemas"]
