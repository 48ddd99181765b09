"""What a bundle means to the notifier."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from libs.worktime import ScheduleError, Worktime, zone
from libs.worktime import parse as parse_schedule
from services.notifier.mail_file import MAIL_FILE, MailFile, read_mail_file
from services.notifier.templates import Templates, read_templates

WORKTIME_FILE = "worktime.yaml"


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours of a schedule and the time zone they are written in."""

    worktime: Worktime
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class NotifierConfiguration:
    """The configuration in force."""

    mail: MailFile
    templates: Templates
    schedules: Mapping[str, Hours]


def parse(files: Mapping[str, Any]) -> NotifierConfiguration:
    """ValueError names file, field and reason."""
    if MAIL_FILE not in files:
        raise ValueError(f"{MAIL_FILE}: is missing")
    mail = read_mail_file(files[MAIL_FILE])
    return NotifierConfiguration(mail, read_templates(files, mail.default_language), _schedules(files))


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
