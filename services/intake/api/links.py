"""Links to attachments, for people who read messages (behaviour E-6)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from libs.chassis.clock import real_now
from libs.chassis.resources import Resources
from libs.chassis.signed_links import SignedLinks
from libs.contracts.ticket import Attachment
from services.intake.settings import IntakeSettings

PURPOSE = "attachments"


@dataclass(frozen=True, slots=True)
class AttachmentLinks:
    """Links that are good for a while and need no token. base: where browsers reach intake; empty = links are paths."""

    signed: SignedLinks
    base: str
    now: datetime

    @classmethod
    def of(cls, parts: Resources) -> Self:
        """The links of this process, with the key and lifetime that its configuration says."""
        lifetime: timedelta = parts.configuration.current.parsed.mail.attachment_link
        base = parts.settings.public_url if isinstance(parts.settings, IntakeSettings) else None
        return cls(
            SignedLinks(parts.settings.token_secret.get_secret_value(), PURPOSE, lifetime), base or "", real_now()
        )

    def to(self, attachment: Attachment) -> str:
        """The link to an attachment."""
        return f"{self.base}/v1/attachments/{attachment.id}?{self.signed.query(attachment.id, self.now)}"

    def allow(self, id: str, expires: int, signature: str) -> bool:
        """Whether a link to this attachment is one of ours and still good."""
        return self.signed.allows(id, expires, signature, self.now)
