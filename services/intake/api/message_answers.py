"""Messages and their files, as answers carry them."""

from datetime import datetime

from pydantic import BaseModel, Field

from libs.contracts.ticket import Attachment
from services.intake.api.links import AttachmentLinks
from services.intake.mail.sanitise import linked_images
from services.intake.reading import Read


class AttachmentAnswer(Attachment):
    """An attachment, and where it is."""

    url: str = Field(description="Good for an hour or what mail.yaml says, without a token")


class Revision(BaseModel):
    """What the source of a message made of it afterwards."""

    at: datetime
    text: str
    deleted: bool


class MessageAnswer(BaseModel):
    """A message or a note. `role`: customer, agent, ai, system, automatic or note; `seq`: place in its conversation.

    `html` is clean: no scripts, no styles, no remote images; its images are links to attachments.
    """

    id: str
    ticket: str = Field(description="The ticket it was written to: this one, or one that was merged into it")
    also_in: tuple[str, ...] = Field((), description="Merged tickets that have the same message; it is shown once")
    role: str
    visibility: str
    author: str | None
    channel: str
    text: str
    html: str | None
    at: datetime
    sent_at: datetime | None
    seq: int | None
    attachments: tuple[AttachmentAnswer, ...]
    thanks: bool = Field(False, description="A customer's that only thanks, and so did not reopen (behaviour K-4)")
    revisions: tuple[Revision, ...] = Field((), description="Later edits by its source, oldest first (behaviour C-2)")
    delivery: str | None = Field(description="For answers that leave as mail: sent, or why not")
    copied_to: tuple[str, ...] = Field((), description="Who else got the answer, as a copy (behaviour M-3)")
    subject: str | None = Field(None, description="Of a mail that speaks of something else than its ticket")
    verified: bool | None = Field(None, description="For mails: whether From is proved; null = nobody looked")


def message_answer(read: Read, links: AttachmentLinks) -> MessageAnswer:
    """A message as stored, with links to its attachments."""
    message = read.message
    urls = {attachment.id: links.to(attachment) for attachment in message.attachments}
    return MessageAnswer(
        id=message.id,
        ticket=read.ticket,
        also_in=read.also_in,
        role=message.kind or "note",
        visibility=message.visibility,
        author=message.author,
        channel=message.channel,
        text=message.text,
        html=None if message.html is None else linked_images(message.html, urls),
        at=message.at,
        sent_at=message.sent_at,
        seq=message.seq,
        attachments=tuple(AttachmentAnswer(**each.model_dump(), url=urls[each.id]) for each in message.attachments),
        thanks=bool(message.thanks),
        revisions=tuple(Revision.model_validate(each) for each in read.revisions),
        delivery=read.delivery,
        copied_to=() if message.outbound is None else tuple(copy.to for copy in message.outbound.copies),
        subject=None if message.mail is None else message.mail.subject,
        verified=None if message.mail is None else message.mail.verified,
    )
