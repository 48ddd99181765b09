"""The notifier's own settings."""

from typing import Annotated
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import AfterValidator, Field, SecretStr

from libs.chassis.settings import KEY_ALLOWED, PEER_ALLOWED, Peer, Settings, SigningKey

SCHEMES = {"smtp": 25, "smtps": 465}


def _smtp_address(secret: SecretStr) -> SecretStr:
    parts = urlsplit(secret.get_secret_value())
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise ValueError("is not a URL that begins with smtp:// or smtps://")
    return secret


class NotifierSettings(Settings):
    """Where mail goes out, and the key of Message-IDs."""

    mail_secret: SigningKey = Field(description=KEY_ALLOWED)
    smtp_url: Annotated[SecretStr, AfterValidator(_smtp_address)] | None = Field(
        None, description="smtp://user:password@host:port or smtps://…; before mail.yaml"
    )
    public_url: Peer | None = Field(None, description=PEER_ALLOWED)
    """Where browsers reach intake, for links that reopen; without it notices have none."""
    # each connection may have an answer in DATA when the process is killed, and that one leaves twice
    smtp_connections: int = Field(1, ge=1, le=4, description="1 to 4")

    @property
    def smtp(self) -> SplitResult | None:
        """The parts of the URL."""
        return None if self.smtp_url is None else urlsplit(self.smtp_url.get_secret_value())

    @property
    def mail_key(self) -> bytes:
        """The key of Message-IDs and of the loop header."""
        return self.mail_secret.get_secret_value().encode()


def credentials(url: SplitResult) -> tuple[str | None, str | None]:
    """User and password of a URL, as they are meant."""
    return (unquote(url.username) if url.username else None, unquote(url.password) if url.password else None)
