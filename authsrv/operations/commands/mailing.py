"""What commands send mail with: the server's own words, through the mail server that the settings name."""

from authsrv.kit.clock import SystemClock
from authsrv.kit.errors import DomainError
from authsrv.kit.mail import Mail
from authsrv.oauth.approvals import ApprovalDecision
from authsrv.operations.commands.running import Tools
from authsrv.storage.database import Database
from authsrv.web.approval_mails import tell_decision
from authsrv.web.notices import Post, send_notice
from authsrv.web.outbox import choose_mailer
from authsrv.web.stationery import Stationery
from authsrv.web.texts import DEFAULT, Language

NOT_SENT = "The mail could not be sent: set issuer and mail_url, or see what the log says of the mail server."


class Postman:
    """Words and sends mails in the default language: nobody's browser asked for them."""

    def __init__(self, tools: Tools, database: Database) -> None:
        # Without an issuer a link would lead nowhere.
        mailer = choose_mailer(tools.settings, database, SystemClock()) if tools.settings.issuer else None
        self.post = Post(mailer, Stationery(), tools.settings.issuer)

    @property
    def language(self) -> Language:
        return self.post.stationery.texts.of(DEFAULT)

    async def send(self, mail: Mail) -> bool:
        """Whether it left; the command's own answer says so where mail is not set up."""
        return self.post.mailer is not None and await send_notice(self.post, mail)

    async def tell(self, decision: ApprovalDecision) -> int:
        """How many of the app's admins were told."""
        return await tell_decision(self.post, decision) if self.post.mailer is not None else 0


def require_issuer(tools: Tools) -> None:
    """Refuses the command where a mail's link could lead nowhere."""
    if not tools.settings.issuer:
        raise DomainError("issuer_needed", 400, "issuer: is required, since the mail's link leads there.")
