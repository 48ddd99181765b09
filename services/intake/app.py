"""Intake, put together."""

from libs.chassis.migrations import versions_folder
from libs.chassis.resources import Worker
from libs.chassis.service import FeedSource, Service
from libs.contracts.catalogue import CONVERSATIONS, said_by
from libs.contracts.event import Speaker
from libs.contracts.routing import TicketRouted
from services.intake import closing, handlers
from services.intake.api import ROUTERS
from services.intake.api.examples import EXAMPLES
from services.intake.configuration import parse
from services.intake.counting import Counts
from services.intake.feed import PATIENCE, conversations_feed
from services.intake.job_worker import JobWorker
from services.intake.joining import join
from services.intake.mailing import LIMITS, Mailing
from services.intake.privacy_worker import PrivacyWorker
from services.intake.sealing import SEALER
from services.intake.search_index import Indexer
from services.intake.settings import SETTINGS, IntakeSettings
from services.intake.suspecting import SUSPECTING

__all__ = ["SETTINGS", "build"]

VERSION = "0.1.0"


def build(settings: IntakeSettings) -> Service:
    """Owns tickets: hears conversations, requests and mails; says what becomes of them."""
    mailing, jobs, privacy = Mailing(), JobWorker(settings), PrivacyWorker()
    return Service(
        name="intake",
        version=VERSION,
        settings=settings,
        speaker=Speaker.INTAKE,
        says=said_by(Speaker.INTAKE),
        hears=tuple(handlers.HEARS),
        patience={event: 0.1 for event in handlers.HEARS if event is not TicketRouted},
        handle=handlers.handle,
        feeds=[FeedSource(CONVERSATIONS, "intake-conversations", conversations_feed(), PATIENCE)],
        timers=closing.TIMERS,
        workers=[
            *mailing.workers(settings),
            jobs.worker(),
            privacy.worker(),
            SEALER,
            SUSPECTING,
            Worker("search", Indexer().run, leased=True),
        ],
        examples=EXAMPLES,
        routers=ROUTERS,
        parse=parse,
        join=join,
        migrations=versions_folder("intake"),
        limits=LIMITS,
        state={"mailing": mailing, "jobs": jobs, "counts": Counts(), "privacy": privacy},
    )
