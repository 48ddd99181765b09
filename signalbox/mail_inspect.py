"""`signalbox mail inspect`: what intake reads in a mail, without a running system."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from services.intake.mail import automatic
from services.intake.mail.charset import decode
from services.intake.mail.message import Mail
from services.intake.mail.parse import parse
from services.intake.mail.reply import visible_reply

WRONG_USE = 2


def inspect(
    files: Annotated[
        list[Path], typer.Argument(help="Mails as RFC 5322 bytes; a .txt file is a plain-text body only.")
    ],
) -> None:
    """Print one JSON line a mail: who wrote to whom, the text, the visible reply, and whether a machine wrote it.

    A mail that cannot be parsed has its reason under "error". A file that cannot be read is named on standard error,
    the others are inspected, and the exit code is 2.
    """
    unreadable = False
    for file in files:
        try:
            content = file.read_bytes()
        except OSError as error:
            unreadable = True
            typer.echo(f"error: {file}: {error.strerror}", err=True)
            continue
        typer.echo(json.dumps(inspected(file, content), ensure_ascii=False))
    if unreadable:
        raise typer.Exit(WRONG_USE)


def inspected(file: Path, content: bytes) -> dict[str, Any]:
    """The line of one file."""
    if file.suffix == ".txt":
        return {"id": file.stem, **_read(Mail(text=decode(content))), **dict.fromkeys(_machine(Mail()), False)}
    mail = parse(content)
    return {"id": file.stem, **_read(mail), **_machine(mail), "error": mail.error}


def _read(mail: Mail) -> dict[str, Any]:
    return {
        "from": {"email": mail.from_.email, "name": mail.from_.name},
        "to": [address.email for address in mail.to],
        "subject": mail.subject,
        "message_id": mail.message_id or None,
        "in_reply_to": list(mail.in_reply_to),
        "references": list(mail.references),
        "text": mail.text,
        "visible_reply": visible_reply(mail.text),
        "attachments": [attachment.filename for attachment in mail.attachments],
        "error": None,
    }


def _machine(mail: Mail) -> dict[str, bool]:
    return {
        "is_bounce": automatic.is_bounce(mail),
        "is_autoreply": automatic.is_autoreply(mail),
        "is_feedback_report": automatic.is_feedback_report(mail),
        "must_not_autorespond": automatic.suppress_autoreply(mail),
    }
