"""Reporting: hears everything, says nothing, owns the numbers."""

from collections.abc import Sequence

from libs.chassis.migrations import versions_folder
from libs.chassis.service import Service
from libs.chassis.settings import Settings
from libs.chassis.transaction import Transaction
from libs.contracts.event import Event
from libs.contracts.fact import Fact
from services.reporting import api, handlers
from services.reporting.configuration import parse
from services.reporting.metrics import ReportingMetrics
from services.reporting.workers import Jobs

SETTINGS = Settings
VERSION = "0.1.0"

__all__ = ["SETTINGS", "build", "parse"]


def build(settings: Settings) -> Service:
    metrics = ReportingMetrics()

    async def handle(facts: Sequence[Fact[Event]], transaction: Transaction) -> None:
        metrics.count(await handlers.handle(facts, transaction))

    return Service(
        name="reporting",
        version=VERSION,
        settings=settings,
        speaker=None,
        hears=tuple(handlers.HEARS),
        patience=dict.fromkeys(handlers.HEARS, 0.2),
        handle=handle,
        workers=Jobs(metrics).workers(),
        routers=(api.router,),
        parse=parse,
        migrations=versions_folder("reporting"),
    )
