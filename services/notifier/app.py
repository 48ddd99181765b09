"""The notifier, composed."""

from functools import partial

from libs.chassis.migrations import versions_folder
from libs.chassis.resources import Worker
from libs.chassis.service import Service
from libs.contracts.event import Speaker
from libs.contracts.notice import NoticeFailed, NoticeSent
from services.notifier import api, handlers
from services.notifier.configuration import parse
from services.notifier.links import ReopenLinks
from services.notifier.sender.sender import Sender
from services.notifier.settings import NotifierSettings

SETTINGS = NotifierSettings
VERSION = "0.1.0"

__all__ = ["SETTINGS", "build", "parse"]


def build(settings: NotifierSettings) -> Service:
    """Hears tickets, clocks and people; says what was said to whom."""
    sender = Sender(settings)
    return Service(
        name="notifier",
        version=VERSION,
        settings=settings,
        speaker=Speaker.NOTIFIER,
        says=(NoticeSent, NoticeFailed),
        hears=tuple(handlers.HEARS),
        patience=dict.fromkeys(handlers.HEARS, 0.05),
        handle=partial(handlers.handle, doorbell=sender.doorbell, links=ReopenLinks(settings)),
        workers=(Worker("sender", sender.run, leased=True, left=sender.left),),
        routers=(api.router,),
        parse=parse,
        migrations=versions_folder("notifier"),
    )
