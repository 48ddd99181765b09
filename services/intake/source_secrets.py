"""The secrets by which sources of conversations sign what they send by HTTP (Standard Webhooks)."""

from collections.abc import Mapping

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from libs.contracts.publisher import SOURCE_NAME

SHORTEST = 24
"""Bytes of a secret, as Standard Webhooks asks for."""
PREFIX = "whsec_"


class SourceSecrets:
    """Secrets by source. A source may have two while it changes from one to the other."""

    def __init__(self, lines: str = "") -> None:
        """`source whsec_<base64>` on each line; # begins a comment. ValueError names the line that is wrong."""
        self._webhooks: dict[str, list[Webhook]] = {}
        for number, line in enumerate(lines.splitlines(), 1):
            words = line.partition("#")[0].split()
            if words:
                source, webhook = _read(number, words)
                self._webhooks.setdefault(source, []).append(webhook)

    @property
    def sources(self) -> frozenset[str]:
        """Who has a secret."""
        return frozenset(self._webhooks)

    def signed(self, source: str, body: bytes, headers: Mapping[str, str]) -> bool:
        """Whether a secret of this source has signed this body under its webhook-id, at most 5 minutes ago."""
        return any(_holds(webhook, body, headers) for webhook in self._webhooks.get(source, ()))


def _read(number: int, words: list[str]) -> tuple[str, Webhook]:
    if len(words) != 2 or not SOURCE_NAME.fullmatch(words[0]):
        raise ValueError(f"line {number} is not `source {PREFIX}<base64>`")
    try:
        webhook = Webhook(words[1])
    except (ValueError, RuntimeError):
        raise ValueError(f"line {number}: the secret is not base64") from None
    if len(webhook._whsecret) < SHORTEST or not words[1].startswith(PREFIX):
        raise ValueError(f"line {number}: a secret is {PREFIX} and the base64 of at least {SHORTEST} bytes")
    return words[0], webhook


def _holds(webhook: Webhook, body: bytes, headers: Mapping[str, str]) -> bool:
    try:
        webhook.verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError):  # ValueError: a header or a body that is no text
        return False
    return True
