"""The composition root of sla."""

from importlib.metadata import version

from libs.chassis.migrations import versions_folder
from libs.chassis.service import Service
from libs.contracts.event import Speaker
from libs.contracts.sla import SlaCorrected, SlaDecided, SlaWarned, TargetsSet
from services.sla.api import router
from services.sla.handlers import HEARS, TIMERS, handle
from services.sla.recompute import RECOMPUTE
from services.sla.rules import parse
from services.sla.settings import SlaSettings

__all__ = ["SETTINGS", "build", "parse"]

SETTINGS = SlaSettings


def build(settings: SlaSettings) -> Service:
    """The service sla."""
    return Service(
        name="sla",
        version=version("signalbox"),
        settings=settings,
        speaker=Speaker.SLA,
        says=(TargetsSet, SlaWarned, SlaDecided, SlaCorrected),
        hears=HEARS,
        patience=dict.fromkeys(HEARS, 0.05),
        handle=handle,
        timers=TIMERS,
        workers=(RECOMPUTE,),
        routers=(router,),
        parse=parse,
        migrations=versions_folder("sla"),
        waits_for=Speaker.INTAKE,
    )
