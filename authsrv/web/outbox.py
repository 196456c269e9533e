"""Where mail goes: to a mail server, or kept in the database for `/dev/outbox`, so that a demo needs none."""

from datetime import timedelta
from email.headerregistry import Address

from authsrv.kit.clock import Clock
from authsrv.kit.mail import OUTBOX, Mail, Mailer, SmtpMailer, SmtpServer, read_mail_url, read_sender
from authsrv.settings import Settings, SettingsError
from authsrv.storage.database import Database
from authsrv.storage.mails import Mail as KeptMail
from authsrv.storage.mails import add_mail
from authsrv.storage.unit import Unit

_KEPT = timedelta(days=1)


class Outbox:
    """A Mailer that sends nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def send(self, mail: Mail) -> None:
        def work(unit: Unit) -> None:
            now = unit.now()
            kept = KeptMail(
                id=unit.new_id(),
                to=mail.to,
                subject=mail.subject,
                text=mail.text,
                html=mail.html,
                sent_at=now,
                expires_at=now + _KEPT,
            )
            add_mail(unit, kept)

        await self._database.transact(work)


def mail_ways_of(settings: Settings) -> tuple[SmtpServer | None, Address]:
    """The server that takes mails, where they leave at all, and who they are from. Raises SettingsError."""
    try:
        server = read_mail_url(settings.mail_url.get_secret_value())
    except ValueError as fault:
        raise SettingsError(f"mail_url: {fault}") from None
    try:
        return server, read_sender(settings.mail_from)
    except ValueError as fault:
        raise SettingsError(f"mail_from: {fault}") from None


def choose_mailer(settings: Settings, database: Database, clock: Clock) -> Mailer | None:
    """What the settings say mail leaves through; None where they say nothing. Raises SettingsError."""
    server, sender = mail_ways_of(settings)
    if server is not None:
        return SmtpMailer(server, sender, clock)
    return Outbox(database) if settings.mail_url.get_secret_value() == OUTBOX else None
