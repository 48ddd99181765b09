"""What operators see of mail that waits (behaviour E-7)."""

from types import SimpleNamespace
from typing import cast

from prometheus_client import CollectorRegistry

from libs.chassis.resources import Resources
from services.intake.inbound.outcome import Because, Disposition, Outcome
from services.intake.inbound.worker import MailMetrics
from tests.component.intake_mail.conftest import Post, mail


async def test_E7_the_age_of_the_oldest_mail_that_waits_is_shown_until_it_is_settled(post: Post) -> None:
    registry = CollectorRegistry()
    parts = SimpleNamespace(
        metrics=SimpleNamespace(registry=registry), database=post.intake.pool, clock=post.intake.clock
    )
    metrics = MailMetrics(cast(Resources, parts))
    await post.take_in([mail("first"), mail("second")])
    post.intake.wait(minutes=5)
    await metrics.note({})
    assert registry.get_sample_value("signalbox_intake_oldest_unprocessed_seconds") == 300
    await post.work_off()
    await metrics.note({1: Outcome(Disposition.ACCEPTED, "x"), 2: Outcome(Disposition.ACCEPTED, "x")})
    assert registry.get_sample_value("signalbox_intake_oldest_unprocessed_seconds") == 0
    assert registry.get_sample_value("signalbox_mails_settled_total", {"disposition": "accepted"}) == 2
    waits = Outcome(Disposition.SUSPENDED, "x", because=Because.DENIED)
    await metrics.note({3: waits, 4: waits})
    assert registry.get_sample_value("signalbox_mails_suspended_total", {"because": "denied"}) == 2
