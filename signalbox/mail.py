"""`signalbox mail`: inspect, send, import, list what became of mails in and out."""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import aiosmtplib
import typer
from rich.console import Console
from rich.table import Table

from signalbox.connection import DEFAULT_FOLDER, Data, ask, connect
from signalbox.failure import Failure
from signalbox.mail_files import mails_in
from signalbox.mail_import import import_mails
from signalbox.mail_inspect import inspect
from signalbox.progress import bar

CONNECTIONS = 4
ENVELOPE_SENDER = "sender@signalbox.test"

app = typer.Typer(no_args_is_help=True)
app.command()(inspect)
app.command("import")(import_mails)

AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


@app.callback()
def mail() -> None:
    """Mail in and out."""


@app.command()
def send(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help=".eml files or mboxes.")],
    smtp: Annotated[str | None, typer.Option(help="HOST:PORT of intake's SMTP door.")] = None,
    recipient: Annotated[str, typer.Option("--to", help="Mailbox they are delivered to.")] = "support@example.com",
    data: Data = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Deliver mails by SMTP, wait until each has its disposition, print the ledger of what was sent."""
    mails = list(mails_in(files))
    connection = connect(data)
    door = smtp or connection.smtp
    if door is None:
        raise Failure("where is intake's SMTP door? Give --smtp HOST:PORT")
    host, _, port = door.rpartition(":")
    before = _ledger(data)
    asyncio.run(_deliver(mails, host, int(port), recipient))
    with connection.client("intake") as client:
        ask(client, "GET", "/v1/mail/settled", params={"wait": "300"}, timeout=310)
    got = _ledger(data) - before
    if as_json:
        typer.echo(json.dumps({"sent": len(mails), "ledger": dict(got)}))
    else:
        typer.echo(f"sent {len(mails)}: " + ", ".join(f"{count} {name}" for name, count in sorted(got.items())))


@app.command()
def ledger(data: Data = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """How many mails arrived, by what became of them, one disposition for each; compares raw mails, receipts, messages
    and tickets. Exit 1, and which mails they are, where these differ.
    """
    with connect(data).client("intake") as client:
        found = ask(client, "GET", "/v1/mail/reconciliation", timeout=600).json()
    differences = found["differences"]
    if as_json:
        counts = {"mails": found["mails"], "ledger": found["dispositions"]}
        typer.echo(json.dumps({**counts, "differences": differences}))
    else:
        table = Table("disposition", "mails", box=None)
        for name, count in sorted(found["dispositions"].items()):
            table.add_row(name, str(count))
        Console().print(table)
        for each in differences:
            typer.echo(f"{each['what']}: {each['count']}, e.g. {', '.join(each['which'])}", err=True)
    if differences:
        raise typer.Exit(1)


@app.command()
def outbox(data: Data = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """What left by SMTP into the embedded stack's spool, oldest first."""
    from signalbox.spool import read_spool

    folder = connect(data).outbox
    if folder is None:
        raise Failure("only an embedded stack has a spool; look at the mail server that it sends to")
    table = Table("to", "subject", "message-id", "in reply to", "automatic", box=None)
    for item in read_spool(folder):
        if as_json:
            typer.echo(json.dumps(item.as_document()))
        table.add_row(item.to, item.subject, item.message_id, item.in_reply_to or "", "yes" if item.automatic else "")
    if not as_json:
        Console().print(table)


def _ledger(data: Path) -> Counter[str]:
    with connect(data).client("intake") as client:
        return Counter(ask(client, "GET", "/v1/mail/ledger").json()["dispositions"])


async def _deliver(mails: list[bytes], host: str, port: int, recipient: str) -> None:
    """Several connections at once; Failure with the server's words when one is refused."""
    waiting = iter(mails)
    with bar() as progress:
        task = progress.add_task("delivering", total=len(mails))

        async def work() -> None:
            client = aiosmtplib.SMTP(hostname=host, port=port, start_tls=False, timeout=60)
            async with client:
                for raw in waiting:
                    await client.sendmail(ENVELOPE_SENDER, [recipient], _crlf(raw))
                    progress.advance(task)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(CONNECTIONS, len(mails))):
                    group.create_task(work())
        except* aiosmtplib.SMTPException as faults:
            raise Failure(f"{host}:{port}: {faults.exceptions[0]}") from None


def _crlf(raw: bytes) -> bytes:
    """SMTP carries lines that end in CRLF."""
    return b"\r\n".join(raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"))
