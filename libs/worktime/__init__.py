"""Business time: schedules with holidays, and sums of the time that really passes inside their hours.

Pure: no IO but reading the pinned time zone data, no clock, the same answer on every machine. `Schedule` is what is
written, `Worktime` what it means.
"""

from libs.worktime.instants import OutOfRange
from libs.worktime.schedule import Holiday, Schedule, ScheduleError, parse
from libs.worktime.worktime import Pause, Worktime
from libs.worktime.zones import TZDATA_VERSION, UnknownTimezone, zone

__all__ = [
    "TZDATA_VERSION",
    "Holiday",
    "OutOfRange",
    "Pause",
    "Schedule",
    "ScheduleError",
    "UnknownTimezone",
    "Worktime",
    "parse",
    "zone",
]
