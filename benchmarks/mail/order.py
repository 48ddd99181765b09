"""What the load generator is told, and what it tells."""

from dataclasses import dataclass
from typing import Literal

DoorName = Literal["smtp", "import"]

ORDER, RESULT = "LOAD_ORDER", "LOAD_RESULT"
READY, DONE = "ready", "done"
CONNECTIONS = 4
BATCH = 250


@dataclass(frozen=True, slots=True)
class Order:
    """mails: a file of mails with their lengths in front. host, port: the SMTP door; url, token: of intake's API."""

    door: DoorName
    mails: str
    host: str
    port: int
    url: str
    token: str
    recipient: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """begun: when the first mail was begun, seconds since 1970. stored: when each was answered for good, by its place.

    answered: by SMTP, seconds from the end of each mail until its 250.
    """

    begun: float
    stored: list[float]
    answered: list[float]
