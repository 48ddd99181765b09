"""The router, composed."""

from importlib.metadata import version
from pathlib import Path

from libs.chassis.feed import Feed
from libs.chassis.service import FeedSource, Service
from libs.contracts.catalogue import CONVERSATIONS, said_by
from libs.contracts.event import Speaker
from libs.contracts.sla import TargetsSet
from libs.contracts.ticket import TicketChanged, TicketMessageAdded
from services.router.api import ROUTERS
from services.router.api.examples import EXAMPLES
from services.router.configuration import parse
from services.router.handlers import HEARS, handle
from services.router.settings import Settings
from services.router.staff import REPORTED, on_reports
from services.router.timers import TIMERS
from services.router.workers import workers

SETTINGS = Settings


def build(settings: Settings) -> Service:
    """What the router is made of."""
    return Service(
        name="router",
        version=version("signalbox"),
        settings=settings,
        speaker=Speaker.ROUTER,
        says=said_by(Speaker.ROUTER),
        hears=tuple(HEARS),
        patience={TicketChanged: 0.05, TicketMessageAdded: 0.05, TargetsSet: 0.1},
        handle=handle,
        feeds=(FeedSource(CONVERSATIONS, "router-agents", Feed("agents", REPORTED, on_reports)),),
        timers=TIMERS,
        workers=workers(),
        examples=EXAMPLES,
        routers=ROUTERS,
        parse=parse,
        migrations=Path(__file__).parent / "migrations" / "versions",
    )
