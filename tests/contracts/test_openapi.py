"""The OpenAPI document of every service: current, complete, and every POST takes an Idempotency-Key (I-2, I-5)."""

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from libs.contracts.schema_files import written
from signalbox.applications import application
from signalbox.events import OPENAPI
from signalbox.services import SERVICES

METHODS = ("get", "put", "post", "patch", "delete")


@pytest.fixture(scope="module", params=SERVICES)
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = application(str(request.param)).openapi()
    return {"service": request.param, **found}


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                yield f"{method.upper()} {path}", methods[method]


@pytest.mark.parametrize("service", SERVICES)
def test_I5_the_document_on_disk_is_current(service: str) -> None:
    on_disk = (OPENAPI / f"{service}.json").read_text()
    assert on_disk == written(application(service).openapi()), "run `signalbox events openapi`"


def test_I5_every_operation_says_what_it_does_and_answers(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert operation.get("summary"), name
        assert operation.get("description"), f"{name}: its function needs a docstring"
        good = {code: answer for code, answer in operation["responses"].items() if code.startswith("2")}
        assert good, name
        for code, answer in good.items():
            assert code == "204" or answer.get("content"), f"{name} {code} has no schema"


def test_I5_every_body_has_an_example_that_fits_its_schema(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            shown = content.get("example")
            assert shown is not None, f"{name}: services/{document['service']}/api/examples.py has no body for it"
            if kind.endswith("json"):
                schema = {**content["schema"], "components": document["components"]}
                jsonschema.validate(shown, schema, cls=jsonschema.Draft202012Validator)


def test_I2_every_post_takes_an_idempotency_key(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        if name.startswith("POST"):
            headers = [each["name"] for each in operation.get("parameters", []) if each["in"] == "header"]
            assert "Idempotency-Key" in headers, f"{name}: use AskedOnce and `idempotent`"
