"""Links that customers follow from a mail (behaviour K-3)."""

from libs.chassis.clock import real_now
from libs.chassis.signed_links import SignedLinks
from libs.contracts.reopen_link import LIFETIME, PURPOSE, path
from services.notifier.settings import NotifierSettings


class ReopenLinks:
    """Made where it is known how browsers reach intake."""

    def __init__(self, settings: NotifierSettings) -> None:
        self._base = settings.public_url
        self._signed = SignedLinks(settings.token_secret.get_secret_value(), PURPOSE, LIFETIME)

    def to(self, ticket: str) -> str | None:
        """The link by which whoever has it opens this ticket again; None without a base."""
        return None if self._base is None else f"{self._base}{path(ticket)}?{self._signed.query(ticket, real_now())}"
