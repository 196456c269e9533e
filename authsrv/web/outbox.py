"""Mail that stays here: kept in the database for `/dev/outbox`, so that a demo needs no mail server."""

from datetime import timedelta

from authsrv.kit.mail import Mail
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
