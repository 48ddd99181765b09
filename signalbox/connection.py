"""How a client command finds its system: a data folder of an embedded stack, or SIGNALBOX_<SERVICE>_URL and a token."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import httpx
import typer

from libs.chassis.clock import real_now
from libs.chassis.tokens import Role, Tokens
from libs.embedded.data_folder import DataFolder
from signalbox.failure import Failure

DEFAULT_FOLDER = Path(".signalbox")

Data = Annotated[Path, typer.Option("--data", help="Folder of the embedded stack.", envvar="SIGNALBOX_DATA")]


@dataclass(frozen=True, slots=True)
class Connection:
    """A running system as a client sees it. token: for people's commands, role admin on an embedded stack."""

    urls: Mapping[str, str]
    nats_url: str | None
    token: str
    smtp: str | None = None
    outbox: Path | None = None

    def client(self, service: str) -> httpx.Client:
        """An HTTP client of one service. Failure when nobody said where it is."""
        if service not in self.urls:
            raise Failure(f"where is {service}? Set SIGNALBOX_{service.upper()}_URL, or start one by `signalbox up`")
        return httpx.Client(base_url=self.urls[service], headers={"Authorization": f"Bearer {self.token}"}, timeout=30)


def connect(data: Path = DEFAULT_FOLDER, source: str = "chat") -> Connection:
    """The system that the environment names, else the stack of the folder. Failure says what to do.

    source: which publisher of conversations we are for NATS.
    """
    urls = {
        name.removeprefix("SIGNALBOX_").removesuffix("_URL").lower(): value
        for name, value in os.environ.items()
        if name.startswith("SIGNALBOX_") and name.endswith("_URL") and value
    }
    if "SIGNALBOX_TOKEN" in os.environ:
        return Connection(urls, urls.get("nats"), os.environ["SIGNALBOX_TOKEN"], os.environ.get("SIGNALBOX_SMTP"))
    return _of_folder(DataFolder(data), source)


def ask(client: httpx.Client, method: str, path: str, **arguments: object) -> httpx.Response:
    """One request; Failure with the problem's own words when it is refused or nobody answers."""
    try:
        answer = client.request(method, path, **arguments)  # type: ignore[arg-type]
    except httpx.TransportError as away:
        raise Failure(f"{client.base_url} does not answer ({away}); is it up? `signalbox status` tells") from None
    if answer.is_error:
        raise Failure(f"{method} {path}: {answer.status_code} {_detail(answer)}")
    return answer


def _detail(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
        return str(problem.get("detail") or problem.get("title"))
    except (ValueError, AttributeError):
        return answer.text[:200]


def _of_folder(folder: DataFolder, source: str) -> Connection:
    if not folder.stack.exists():
        raise Failure(f"no stack runs in {folder.path}: start one by `signalbox up`, or set SIGNALBOX_TOKEN and URLs")
    written = json.loads(folder.stack.read_text())
    token = Tokens(folder.secrets.token_signing_key()).issue(
        "cli", Role.ADMIN, real_now(), lifetime=timedelta(hours=12)
    )
    password = folder.secrets.nats_password(source)
    return Connection(
        urls={name: service["url"] for name, service in written["services"].items()},
        nats_url=written["nats"].replace("nats://", f"nats://{source}:{password}@"),
        token=token,
        smtp=written["smtp"],
        outbox=Path(written["outbox"]),
    )
