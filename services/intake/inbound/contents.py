"""The content of a mail as a message of a ticket (behaviour E-4, E-6). Pure."""

from datetime import datetime

from libs.contracts.ticket import Attachment, InboundMail, MessageKind
from services.intake.acceptance import storable
from services.intake.domain.altered import altered
from services.intake.domain.message import Message
from services.intake.inbound.letter import Letter
from services.intake.mail import message as mail_message
from services.intake.mail.reply import visible_reply
from services.intake.mail.sanitise import clean_html, named_images
from services.intake.mail_file import MailPolicy

MOST_REFERENCES = 20
LONGEST_NAME = 200
LONGEST_SUBJECT = 200


def message(letter: Letter, id: str, kind: MessageKind, author: str | None, now: datetime, *, joins: bool) -> Message:
    """The message without attachments. joins: it answers something, so what it quotes is left out."""
    mail = letter.mail
    text = visible_reply(mail.text) if joins else mail.text
    return Message(
        id=id,
        kind=kind,
        text=storable(text) or _unreadable(mail),
        at=now,
        channel="email",
        author=author,
        sent_at=mail.date,
        html=_clean(mail.html),
        mail=InboundMail(
            message_id=storable(mail.message_id) or None,
            references=_shortened(tuple(map(storable, mail.references))),
            return_path=mail.return_path,
            verified=letter.verified,
        ),
    )


def _unreadable(mail: mail_message.Mail) -> str:
    """What stands in place of a text that cannot be read; the mail itself is kept."""
    return f"[this mail cannot be read: {mail.error}]" if mail.error is not None else ""


def with_files(written: Message, letter: Letter, policy: MailPolicy) -> tuple[Message, dict[str, bytes]]:
    """The message with the attachments that policy takes, and their contents by hash. Those left out are named in its
    text; images of its HTML are known by the id of their attachment.
    """
    kept: list[tuple[Attachment, mail_message.Attachment]] = []
    left_out: list[str] = []
    for place, file in enumerate(letter.mail.attachments):
        is_much = place >= policy.max_attachments or len(file.content) > policy.max_attachment
        if is_much or policy.refuses(file.filename, file.content_type):
            left_out.append(storable(file.filename[:LONGEST_NAME]))
        else:
            kept.append((_attachment(f"{written.id}.{place}", file), file))
    notice = f"[left out because of size, number or type: {', '.join(left_out[:20])}]" if left_out else ""
    images = {file.content_id: attachment.id for attachment, file in kept if file.content_id}
    complete = altered(
        written,
        text=f"{written.text}\n\n{notice}".strip() if notice else written.text,
        html=named_images(written.html, images) if written.html and images else written.html,
        attachments=tuple(attachment for attachment, _ in kept),
    )
    return complete, {attachment.sha256: file.content for attachment, file in kept}


def _attachment(id: str, file: mail_message.Attachment) -> Attachment:
    return Attachment(
        id=id,
        name=storable(file.filename[:LONGEST_NAME]),
        content_type=storable(file.content_type[:LONGEST_NAME]),
        size=len(file.content),
        sha256=file.sha256,
    )


def _clean(html: str) -> str | None:
    cleaned = clean_html(html) if html else None
    return None if cleaned is None else storable(cleaned)


def _shortened(references: tuple[str, ...]) -> tuple[str, ...]:
    """The root of the thread and its end."""
    return references if len(references) <= MOST_REFERENCES else (references[0], *references[1 - MOST_REFERENCES :])
