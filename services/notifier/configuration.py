"""What a bundle means to the notifier."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from libs.free_mail import free_mail
from libs.worktime import ScheduleError, Worktime, zone
from libs.worktime import parse as parse_schedule
from services.notifier.mail_file import MAIL_FILE, MailFile, read_mail_file
from services.notifier.templates import Templates, read_templates

WORKTIME_FILE = "worktime.yaml"
CUSTOMERS_FILE = "customers.yaml"


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours of a schedule and the time zone they are written in."""

    worktime: Worktime
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class NotifierConfiguration:
    """The configuration in force. free_mail: domains where everybody can have an address, in lower case."""

    mail: MailFile
    templates: Templates
    schedules: Mapping[str, Hours]
    free_mail: frozenset[str] = field(default_factory=free_mail)


def parse(files: Mapping[str, Any]) -> NotifierConfiguration:
    """ValueError names file, field and reason."""
    if MAIL_FILE not in files:
        raise ValueError(f"{MAIL_FILE}: is missing")
    mail = read_mail_file(files[MAIL_FILE])
    templates = read_templates(files, mail.default_language)
    return NotifierConfiguration(mail, templates, _schedules(files), _free_mail(files))


def _free_mail(files: Mapping[str, Any]) -> frozenset[str]:
    """Those that are known and those that are configured; intake looks at the whole file."""
    written = files.get(CUSTOMERS_FILE) or {}
    added = written.get("free_mail") or () if isinstance(written, dict) else ()
    return free_mail() | {str(domain).strip().lower() for domain in added} if added else free_mail()


def _schedules(files: Mapping[str, Any]) -> dict[str, Hours]:
    written = files.get(WORKTIME_FILE) or {}
    schedules = written.get("schedules", {}) if isinstance(written, dict) else None
    if not isinstance(schedules, dict):
        raise ValueError(f"{WORKTIME_FILE}: schedules: is not a mapping of schedules by key")
    found = {}
    for key, raw in schedules.items():
        try:
            schedule = parse_schedule(raw)
            found[key] = Hours(schedule.compile(), zone(schedule.timezone))
        except ScheduleError as fault:
            raise ValueError(f"{WORKTIME_FILE}: schedules.{key}.{fault}") from None
    return found
