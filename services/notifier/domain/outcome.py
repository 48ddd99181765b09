"""What an attempt to send means for a notice (decisions 20): SMTP's outcome can be unknown.

A mail that may have left is sent again if a person wrote it, because it has the same Message-ID and losing it is worse;
an automatic one is not, because a second acknowledgment is worse than none.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.notifier.domain.notice import State, Verdict
from services.notifier.mail_file import RetryRules

AUTOMATIC_LASTS = timedelta(hours=24)
"""An automatic notice about something older is not sent (decisions 20)."""
SENDING_LASTS = timedelta(seconds=60)
"""Whoever has not said after this time what became of a mail is taken for dead."""


class Attempt(StrEnum):
    """How an attempt ended. DEFERRED: certainly not taken, for now. LOST: nobody knows."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    LOST = "lost"
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of a notice that was `sending`, or that waited too long. next_try: when it is queued again."""

    state: State
    verdict: Verdict | None = None
    reason: str | None = None
    next_try: datetime | None = None


def settle(
    attempt: Attempt,
    reason: str,
    *,
    automatic: bool,
    attempts: int,
    fact_at: datetime,
    now: datetime,
    retry: RetryRules,
) -> Settlement:
    """After an attempt, the `attempts`th of this notice."""
    if attempt is Attempt.ACCEPTED:
        return Settlement(State.SENT)
    if attempt is Attempt.REFUSED:
        return Settlement(State.FAILED, Verdict.REFUSED, reason)
    if attempt is Attempt.IMPOSSIBLE:
        return Settlement(State.FAILED, Verdict.UNDELIVERABLE, reason)
    if attempt is Attempt.LOST and automatic:
        return Settlement(State.UNKNOWN, Verdict.UNKNOWN, reason)
    due = now + retry.pause(attempts)
    return too_late(automatic, fact_at, due, retry) or Settlement(State.QUEUED, None, reason, due)


def recovered(*, automatic: bool, attempts: int, fact_at: datetime, now: datetime, retry: RetryRules) -> Settlement:
    """For a notice that somebody began to send more than 60 s ago: as if the connection had been lost."""
    reason = "the sender stopped while it was sending"
    if automatic:
        return Settlement(State.UNKNOWN, Verdict.UNKNOWN, reason)
    return too_late(automatic, fact_at, now, retry) or Settlement(State.QUEUED, None, reason, now)


def too_late(automatic: bool, fact_at: datetime, now: datetime, retry: RetryRules) -> Settlement | None:
    """What becomes of a notice that is too old to be sent now; None if it is not."""
    if automatic and now - fact_at > AUTOMATIC_LASTS:
        return Settlement(State.SUPPRESSED, Verdict.SUPPRESSED, "its cause is older than 24 hours")
    if now - fact_at > retry.give_up:
        return Settlement(State.FAILED, Verdict.EXPIRED, "no mail server took it in time")
    return None
