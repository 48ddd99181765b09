"""The HTTP surface of a running system: its operations, and requests that fit them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from libs.chassis.clock import real_now
from libs.chassis.tokens import Role, Tokens
from libs.embedded.data_folder import DataFolder
from tests.support.system import System

METHODS = ("get", "put", "post", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """One operation of one service, with a request for it made from the document."""

    service: str
    method: str
    path: str
    documented: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.service} {self.method} {self.path}"

    @property
    def content(self) -> tuple[str, bytes]:
        """Media type and body: the example."""
        for kind, shown in self.documented.get("requestBody", {}).get("content", {}).items():
            example = shown["example"]
            return kind, json.dumps(example).encode() if kind.endswith("json") else example.encode()
        return "", b""

    @property
    def url(self) -> str:
        """The path with its parameters, and the query that is needed."""
        schemas = {each["name"]: each["schema"] for each in self.documented.get("parameters", ())}

        def value(name: str) -> str:
            return "1" if schemas.get(name, {}).get("type") == "integer" else "chat"

        path = re.sub(r"\{([^}]*)\}", lambda found: value(found[1]), self.path)
        needed = [
            f"{each['name']}=chat"
            for each in self.documented.get("parameters", ())
            if each["in"] == "query" and each.get("required")
        ]
        return path + ("?" + "&".join(needed) if needed else "")


def operations(service: str, url: str) -> Iterator[Operation]:
    """Everything a running service documents."""
    document = httpx.get(f"{url}/openapi.json").json()
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                yield Operation(service, method.upper(), path, methods[method])


def token(system: System, role: Role, subject: str, agent: str | None = None) -> str:
    """A token of the system."""
    tokens = Tokens(DataFolder(system.data).secrets.token_signing_key())
    return tokens.issue(subject, role, real_now(), agent=agent, lifetime=timedelta(hours=1))
