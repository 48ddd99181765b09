"""Reports on delivery: they open no ticket and nobody answers them (behaviour A-6)."""

from services.intake.domain.decision import By
from services.intake.domain.delivery import Failure, delivery_failed, is_news
from services.intake.domain.ticket import Ticket
from services.intake.inbound.batch import Batch
from services.intake.inbound.letter import Letter, by
from services.intake.inbound.outcome import Disposition, Outcome


def decide(letter: Letter, batch: Batch) -> Outcome:
    """Tell what is news about answers of ours."""
    reports = batch.reports.get(letter.receipt.id, [])
    for report in reports:
        ticket = batch.directory.tickets.get(report.ticket_id)
        known = batch.deliveries.get(report.failure.message_id, report.delivery)
        if ticket is not None and is_news(report.failure, known):
            _tell(ticket, report.failure, by(letter, "system"), batch)
    if not reports:
        return Outcome(Disposition.BOUNCE, "of no answer of ours")
    first = reports[0]
    reason = first.failure.status or ("failed" if first.failure.permanent else "delayed")
    return Outcome(Disposition.BOUNCE, reason, first.ticket_id, first.failure.message_id)


def _tell(ticket: Ticket, failure: Failure, who: By, batch: Batch) -> None:
    reopens = batch.policy.reopen_on_bounce
    batch.keep(delivery_failed(ticket, failure, batch.store.statuses, batch.now, who, reopens=reopens))
    batch.deliveries[failure.message_id] = failure.delivery
