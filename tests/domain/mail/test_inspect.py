"""`signalbox mail inspect` prints what interfaces promise: one JSON line a mail."""

import json
from pathlib import Path

import typer
from typer.testing import CliRunner

from signalbox.mail_inspect import inspect

KEYS = {
    "id",
    "from",
    "to",
    "subject",
    "message_id",
    "in_reply_to",
    "references",
    "text",
    "visible_reply",
    "attachments",
}
KEYS |= {"is_bounce", "is_autoreply", "is_feedback_report", "must_not_autorespond", "error"}

app = typer.Typer()
app.command()(inspect)


def test_a_mail_and_a_text_make_a_line_each(tmp_path: Path) -> None:
    mail, text = tmp_path / "one.eml", tmp_path / "two.txt"
    mail.write_bytes(
        b"From: Ann <Ann@x.example>\nTo: help@shop.example\nSubject: Hi\nMessage-ID: <1@x>\n\nHello\n\n-- \nAnn\n"
    )
    text.write_text("Yes.\n\n> Really?\n")
    result = CliRunner().invoke(app, [str(mail), str(text)])
    one, two = (json.loads(line) for line in result.stdout.splitlines())
    assert result.exit_code == 0
    assert set(one) == set(two) == KEYS
    assert one["from"] == {"email": "ann@x.example", "name": "Ann"}
    assert (one["id"], one["message_id"], one["visible_reply"]) == ("one", "1@x", "Hello")
    assert (one["must_not_autorespond"], one["error"]) == (False, None)
    assert (two["id"], two["visible_reply"], two["text"]) == ("two", "Yes.", "Yes.\n\n> Really?\n")


def test_a_missing_file_is_named_and_the_others_are_inspected(tmp_path: Path) -> None:
    mail = tmp_path / "one.eml"
    mail.write_bytes(b"Subject: Hi\n\nHello")
    result = CliRunner().invoke(app, [str(tmp_path / "none.eml"), str(mail)])
    assert result.exit_code == 2
    assert "none.eml" in result.stderr
    assert json.loads(result.stdout)["subject"] == "Hi"


def test_a_mail_that_cannot_be_read_has_its_reason(tmp_path: Path) -> None:
    mail = tmp_path / "empty.eml"
    mail.write_bytes(b"")
    assert json.loads(CliRunner().invoke(app, [str(mail)]).stdout)["error"] == "empty"
