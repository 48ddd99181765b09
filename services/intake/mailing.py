"""The mail half of one process: its doors, its worker, and who wakes whom."""

import ssl
from dataclasses import dataclass, field

from libs.chassis.body_limit import MEBIBYTE, BodyLimits
from libs.chassis.errors import Fault, SettingsError
from libs.chassis.resources import Worker
from libs.chassis.settings import variable
from services.intake.acceptance import Acceptance, Arrivals
from services.intake.collecting.worker import Collecting
from services.intake.inbound.worker import MailWorker
from services.intake.settings import IntakeSettings
from services.intake.smtp import Door, DoorOptions
from services.intake.smtp_session import LmtpSession, Session

LIMITS = BodyLimits(
    by_prefix={
        "/v1/emails": 64 * MEBIBYTE,
        "/v1/mail/import": 64 * MEBIBYTE,
        "/v1/attachments": 64 * MEBIBYTE,
        "/v1/conversation-events": 16 * MEBIBYTE,
    }
)
"""Mails and attachments may be as large as any; what is in force says mail.yaml. Conversation events come up to 500 at
once.
"""


@dataclass(frozen=True, slots=True)
class Mailing:
    """What API routes and workers of mail share. came, settled: told when mail comes in, and is settled. ports: where
    each door listens, by name.
    """

    came: Arrivals = field(default_factory=Arrivals)
    settled: Arrivals = field(default_factory=Arrivals)
    acceptance: Acceptance = field(init=False)
    ports: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "acceptance", Acceptance(self.came))

    def workers(self, settings: IntakeSettings) -> list[Worker]:
        """The doors that have a port, the mailboxes, and who works the mails off."""
        keys = [settings.mail_secret.get_secret_value().encode()] if settings.mail_secret is not None else []
        worker = MailWorker(self.came, self.settled, keys)
        workers = [Worker("mail", worker.run, left=worker.left), Worker("collecting", Collecting(self.came).run)]
        tls = tls_context(settings)
        for port, session in ((settings.smtp_port, Session), (settings.lmtp_port, LmtpSession)):
            if port is not None:
                connections, required = settings.smtp_connections, settings.smtp_require_tls
                options = DoorOptions(settings.smtp_host, port, session, connections, tls, required)
                door = Door(self.acceptance, options)
                self.ports[session.door] = door.port
                workers.append(Worker(session.door, door.run))
        return workers


def tls_context(settings: IntakeSettings) -> ssl.SSLContext | None:
    """For STARTTLS; None without a certificate. SettingsError if it cannot be used, or is required and missing."""
    certificate, key = settings.smtp_tls_cert, settings.smtp_tls_key
    if certificate is None:
        if settings.smtp_require_tls:
            raise SettingsError([Fault(variable("smtp_require_tls"), "there is no certificate", "false")])
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:
        fault = Fault(variable("smtp_tls_cert"), f"{certificate}: {error}", "a certificate and its key")
        raise SettingsError([fault]) from error
    return context
