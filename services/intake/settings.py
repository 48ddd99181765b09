"""The settings of intake."""

from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator, Field, FilePath, SecretStr, StringConstraints, TypeAdapter, ValidationError

from libs.chassis.settings import PEER_ALLOWED, Peer, Settings
from services.intake.source_secrets import SourceSecrets


def _readable(secret: SecretStr) -> SecretStr:
    SourceSecrets(secret.get_secret_value())
    return secret


PORT_ALLOWED = "0 (any free port) to 65535"
FILE_ALLOWED = "a PEM file"
PASSWORDS = TypeAdapter(dict[str, str])


def _names_passwords(secret: SecretStr) -> SecretStr:
    try:
        PASSWORDS.validate_json(secret.get_secret_value())
    except ValidationError:
        raise ValueError("is no JSON object of texts") from None
    return secret


class IntakeSettings(Settings):
    """What every service has, and where mail comes in. Without a port there is no such door.

    smtp_tls_cert, smtp_tls_key: PEM files, for STARTTLS at both doors.
    """

    smtp_host: str = "127.0.0.1"
    smtp_port: int | None = Field(None, ge=0, le=65535, description=PORT_ALLOWED)
    lmtp_port: int | None = Field(None, ge=0, le=65535, description=PORT_ALLOWED)
    smtp_connections: int = Field(200, ge=1, le=10_000, description="1 to 10000 at once, for each door")
    smtp_tls_cert: FilePath | None = Field(None, description=FILE_ALLOWED)
    smtp_tls_key: FilePath | None = Field(None, description=FILE_ALLOWED)
    smtp_require_tls: bool = Field(False, description="true or false; true needs SIGNALBOX_SMTP_TLS_CERT")
    imap_passwords: Annotated[SecretStr, AfterValidator(_names_passwords)] | None = Field(
        None, description='{"<source of mail.yaml>": "<password>"} as JSON'
    )
    clamd: Annotated[str, StringConstraints(pattern=r"^[^\s:]+:\d{1,5}$")] | None = Field(
        None, description="host:port of a clamd"
    )
    """The virus scanner that is asked before anybody gets an attachment; without one nothing is scanned."""

    public_url: Peer | None = Field(None, description=PEER_ALLOWED)
    """Where browsers reach intake, for links to attachments; without it links are paths."""
    source_secrets: Annotated[SecretStr, AfterValidator(_readable)] | None = Field(
        None, description="`source whsec_<base64>` on each line"
    )
    """By which sources sign conversation events that they send by HTTP."""

    @cached_property
    def signers(self) -> SourceSecrets:
        """The secrets, read."""
        return SourceSecrets(self.source_secrets.get_secret_value() if self.source_secrets is not None else "")


SETTINGS = IntakeSettings
