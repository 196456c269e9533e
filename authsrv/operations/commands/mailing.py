"""What commands send mail with: the server's own words, through the mail server that the settings name."""

from authsrv.kit.clock import SystemClock
from authsrv.kit.errors import DomainError
from authsrv.kit.mail import Mail
from authsrv.operations.commands.running import Tools
from authsrv.storage.database import Database
from authsrv.web.notices import Post, send_notice
from authsrv.web.outbox import choose_mailer
from authsrv.web.stationery import Stationery
from authsrv.web.texts import DEFAULT, Language

NOT_SENT = "The mail could not be sent: set mail_url, or see what the log says about the mail server."


class Postman:
    """Words and sends mails in the default language: nobody's browser asked for them."""

    def __init__(self, tools: Tools, database: Database) -> None:
        self.post = Post(
            choose_mailer(tools.settings, database, SystemClock()), Stationery(), tools.settings.issuer.rstrip("/")
        )

    @property
    def language(self) -> Language:
        return self.post.stationery.texts.of(DEFAULT)

    async def send(self, mail: Mail) -> bool:
        return await send_notice(self.post, mail)


def require_issuer(tools: Tools) -> None:
    """Refuses the command where a mail's link could lead nowhere."""
    if not tools.settings.issuer:
        raise DomainError("issuer_needed", 400, "issuer: is required, since the mail's link leads there.")
