"""The link by which a customer says that something is not solved: the notifier writes it, intake takes it (K-3).

It is signed for a ticket, for this purpose, as `libs.chassis.signed_links` does it.
"""

from datetime import timedelta

PURPOSE = "reopen"
LIFETIME = timedelta(days=14)
"""It is good for so long at least, and for up to twice as long; a ticket that closes before ends it."""


def path(ticket: str) -> str:
    """Where intake takes it; ticket: its id."""
    return f"/v1/reopen/{ticket}"
