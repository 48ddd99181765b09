"""`signalbox mail import`: what another system kept, by the hundred."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from services.intake.mail_frames import MEDIA_TYPE, framed
from signalbox.connection import DEFAULT_FOLDER, Data, ask, connect
from signalbox.mail_files import count_mails, mails_in
from signalbox.progress import bar

MOST = 250
MOST_BYTES = 8 * 1024 * 1024
SETTLING = {"wait": "600"}


def import_mails(
    files: Annotated[
        list[Path], typer.Argument(exists=True, help=".eml files, mboxes, Maildirs, folders of .eml files.")
    ],
    recipient: Annotated[
        str | None, typer.Option("--to", help="Mailbox they were sent to, where they do not say.")
    ] = None,
    wait: Annotated[bool, typer.Option(help="Wait until each mail has its disposition, and print the ledger.")] = True,
    data: Data = DEFAULT_FOLDER,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a line.")] = False,
) -> None:
    """Import mails. Each batch is stored before it is counted; after an interruption import all of them again: what was
    here before becomes a duplicate, and nothing is done twice.
    """
    connection = connect(data)
    parameters = {} if recipient is None else {"recipient": recipient}
    taken, left_out = 0, list[dict[str, Any]]()
    with connection.client("intake") as client, bar() as progress:
        before = _ledger(client)
        task = progress.add_task("importing", total=count_mails(files))
        for batch in _batches(mails_in(files)):
            imported = _post(client, batch, parameters)
            left_out += [{**each, "place": each["place"] + taken + len(left_out)} for each in imported["left_out"]]
            taken += imported["mails"]
            progress.advance(task, len(batch))
        if wait:
            ask(client, "GET", "/v1/mail/settled", params=SETTLING, timeout=610)
        got = _ledger(client) - before
    if as_json:
        typer.echo(json.dumps({"imported": taken, "left_out": left_out, "ledger": dict(got)}))
        return
    typer.echo(f"imported {taken}: " + ", ".join(f"{count} {name}" for name, count in sorted(got.items())))
    for each in left_out:
        typer.echo(f"left out mail {each['place'] + 1}: {each['reason']}")


def _post(client: httpx.Client, batch: Sequence[bytes], parameters: dict[str, str]) -> dict[str, Any]:
    headers = {"Content-Type": MEDIA_TYPE}
    answer = ask(
        client, "POST", "/v1/mail/import", params=parameters, content=framed(batch), headers=headers, timeout=120
    )
    imported: dict[str, Any] = answer.json()
    return imported


def _batches(mails: Iterator[bytes]) -> Iterator[list[bytes]]:
    batch, size = list[bytes](), 0
    for raw in mails:
        if batch and (len(batch) >= MOST or size + len(raw) > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(raw)
        size += len(raw)
    if batch:
        yield batch


def _ledger(client: httpx.Client) -> Counter[str]:
    return Counter(ask(client, "GET", "/v1/mail/ledger").json()["dispositions"])
