"""Our reading against the expectations of other programs' authors; docs/mail.md has the reason of every difference."""

import re
from typing import Any

from services.intake.mail import automatic
from services.intake.mail.bounce import read_bounce
from services.intake.mail.charset import decode
from services.intake.mail.message import Mail
from services.intake.mail.parse import parse
from services.intake.mail.reply import visible_reply
from tests.domain.mail.outside_cases import cases, compared
from tests.support.outside import outside

PARSE_DIFFERS = {"chatwoot-multiple_attachments"}
REPLY_DIFFERS = {"trimmer-embedded_email_1", "github-email_1_1"}
MACHINE = ("is_bounce", "is_autoreply", "is_feedback_report")


def parse_differences(mail: Mail, expected: dict[str, Any]) -> list[str]:
    read: dict[str, object] = {
        "to": [address.email for address in mail.to],
        "message_id": mail.message_id,
        "in_reply_to": list(mail.in_reply_to),
        "references": list(mail.references),
        "attachment_count": len(mail.regular_attachments),
    }
    wrong = [key for key, value in read.items() if key in expected and value != expected[key]]
    if "from" in expected:
        author = {"email": mail.from_.email, "name": compared(mail.from_.name)}
        wrong += ["from"] if author != expected["from"] else []
    if "subject" in expected and compared(mail.subject) != compared(expected["subject"]):
        wrong.append("subject")
    text, files = compared(mail.text), {attachment.filename for attachment in mail.attachments}
    wrong += [phrase for phrase in expected.get("body_contains", []) if compared(phrase) not in text]
    wrong += [name for name in expected.get("attachments_include", []) if name not in files]
    return wrong


def reply_differences(text: str, expected: dict[str, Any]) -> list[str]:
    reply = compared(visible_reply(text))
    wrong = [phrase for phrase in expected.get("must_contain", []) if compared(phrase) not in reply]
    wrong += [phrase for phrase in expected.get("must_not_contain", []) if compared(phrase) in reply]
    if "visible_reply" in expected and reply != compared(expected["visible_reply"]):
        wrong.append("visible_reply")
    if expected.get("nothing_removed") and reply != compared(text):
        wrong.append("nothing_removed")
    return wrong


def test_E4_mails_are_read_as_other_programs_authors_expect() -> None:
    differing = {id_ for id_, raw, expected, _ in cases("mail_parse") if parse_differences(parse(raw), expected)}
    assert differing == PARSE_DIFFERS


def test_E4_the_visible_reply_is_what_other_programs_authors_expect() -> None:
    differing = set()
    for id_, raw, expected, file in cases("visible_reply"):
        text = decode(raw) if file.suffix == ".txt" else parse(raw).text
        if reply_differences(text, expected):
            differing.add(id_)
    assert differing == REPLY_DIFFERS


def test_A1_A5_A6_machines_are_recognised_and_people_are_answered() -> None:
    wrong = []
    for id_, raw, expected, _ in cases("machine_mail"):
        mail = parse(raw)
        read = {name: getattr(automatic, name)(mail) for name in MACHINE}
        read["must_not_autorespond"] = automatic.suppress_autoreply(mail)
        wrong += [(id_, name) for name, value in read.items() if name in expected and value is not expected[name]]
    assert wrong == []


def test_A6_most_bounces_say_for_good_or_for_now_as_sisimai_reads_them() -> None:
    agreeing = asserted = 0
    for _, raw, expected, _ in cases("machine_mail"):
        if expected.get("is_bounce") and expected.get("status"):
            asserted += 1
            permanent = any(status.startswith("5") for status in expected["status"])
            agreeing += read_bounce(parse(raw)).permanent is permanent
    assert agreeing >= 0.95 * asserted


def test_E1_broken_mail_raises_nothing_and_stays_one_mail() -> None:
    mails = [parse(raw) for _, raw, _, _ in cases("robust")]
    assert [mail.error for mail in mails if mail.error] == []
    assert all(isinstance(visible_reply(mail.text), str) for mail in mails)


def test_A1_not_one_mail_of_a_mailing_list_gets_an_automatic_answer() -> None:
    raw = outside("threading/easy-ham-1.mbox").read_bytes()
    mails = [parse(b"From " + one) for one in re.split(rb"(?m)^From (?=\S+.*\d{4}\r?\n)", raw)[1:]]
    silent = [mail for mail in mails if automatic.suppress_autoreply(mail)]
    assert len(mails) == 376
    assert len(silent) >= 358
    assert {automatic.subtype(mail) for mail in silent} == {automatic.Subtype.LIST}
