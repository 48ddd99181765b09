"""What a bundle means to intake."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.intake.customers_file import CUSTOMERS_FILE, read_customers_file
from services.intake.desk_file import DESK_FILE, Prepared, read_desk
from services.intake.domain.fields import Fields
from services.intake.domain.organisations import Organisations
from services.intake.domain.status import Statuses
from services.intake.fields_file import FIELDS_FILE, read_fields
from services.intake.mail_file import MAIL_FILE, MailPolicy, read_mail_file
from services.intake.privacy_file import PRIVACY_FILE, Retention, read_privacy_file
from services.intake.reopen_page import ReopenPages, read_reopen_pages
from services.intake.status_file import HOURS_FILE, STATUSES_FILE, read_hours, read_statuses


@dataclass(frozen=True, slots=True)
class IntakeConfiguration:
    """The configuration in force."""

    statuses: Statuses
    mail: MailPolicy = field(default_factory=MailPolicy)
    fields: Fields = field(default_factory=Fields)
    organisations: Organisations = field(default_factory=Organisations)
    retention: Retention = field(default_factory=Retention)
    prepared: Prepared = field(default_factory=Prepared)
    reopen_pages: ReopenPages = field(default_factory=ReopenPages)


def parse(files: Mapping[str, Any]) -> IntakeConfiguration:
    """ValueError names file, field and reason."""
    if STATUSES_FILE not in files:
        raise ValueError(f"{STATUSES_FILE}: is missing")
    statuses = read_statuses(files[STATUSES_FILE], read_hours(files.get(HOURS_FILE)))
    fields = read_fields(files.get(FIELDS_FILE) or {})
    return IntakeConfiguration(
        statuses=statuses,
        mail=read_mail_file(files.get(MAIL_FILE) or {}),
        organisations=read_customers_file(files.get(CUSTOMERS_FILE) or {}),
        retention=read_privacy_file(files.get(PRIVACY_FILE) or {}),
        fields=fields,
        prepared=read_desk(files.get(DESK_FILE) or {}, statuses, fields),
        reopen_pages=read_reopen_pages(files),
    )
