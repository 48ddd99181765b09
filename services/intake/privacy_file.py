"""privacy.yaml: how long contents are kept."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

PRIVACY_FILE = "privacy.yaml"


@dataclass(frozen=True, slots=True)
class Retention:
    """How long contents are kept, None = for ever. raw_mails: since they came; closed_tickets: since they changed."""

    raw_mails: timedelta | None = None
    closed_tickets: timedelta | None = None


class RetentionPart(BaseModel):
    """As written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    raw_mail_days: float | None = Field(None, gt=0, le=36_500)
    closed_ticket_days: float | None = Field(None, gt=0, le=36_500)


class PrivacyFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    retention: RetentionPart = RetentionPart()


def read_privacy_file(document: Any) -> Retention:
    """ValueError names file, field and reason."""
    try:
        written = PrivacyFile.model_validate(document).retention
    except ValidationError as faults:
        first = faults.errors(include_url=False, include_input=False)[0]
        raise ValueError(f"{PRIVACY_FILE}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    mails, closed = written.raw_mail_days, written.closed_ticket_days
    if closed is not None and (mails is None or mails > closed):
        # the raw mail says again what the ticket said
        mails = closed
    return Retention(
        None if mails is None else timedelta(days=mails), None if closed is None else timedelta(days=closed)
    )
