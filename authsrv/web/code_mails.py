"""The mail that brings a code: worded in the person's language, sent after the commit."""

import structlog

from authsrv.identity.sign_in import CodeMail
from authsrv.kit.mail import Mail, MailAway
from authsrv.web.runtime import Runtime
from authsrv.web.texts import Language

log = structlog.get_logger(__name__)


async def send_code(
    runtime: Runtime, language: Language, code: CodeMail, *, shop: str | None, in_browser: bool = True
) -> None:
    """Words the mail and hands it over; `in_browser` says that only the browser which asked can use the code.

    Raises MailAway, also where mail is not set up.
    """
    if runtime.mailer is None:
        raise MailAway("mail_url is not set", is_final=True)
    try:
        await runtime.mailer.send(word_code(runtime, language, code, shop=shop, in_browser=in_browser))
    except MailAway as away:
        log.warning("code not sent", reason=away.reason)
        raise


def word_code(
    runtime: Runtime, language: Language, code: CodeMail, *, shop: str | None, in_browser: bool = True
) -> Mail:
    """The mail: the code first in the subject, where a phone's lock screen shows it, and nothing to click."""
    # A store's name is the shop owner's choice: no line of it may become a header.
    name = " ".join(shop.split()) if shop else language.say("mail.no_shop")
    words = {"code": code.code, "minutes": int(code.lasts.total_seconds() // 60), "shop": name, "email": code.email}
    words["lasts"] = "mail.lasts" if in_browser else "mail.lasts_anywhere"
    return Mail(
        to=code.email,
        subject=language.say("mail.subject", **words),
        text=runtime.stationery.fill("mails/code.txt", language, **words),
        html=runtime.stationery.fill("mails/code.html", language, **words),
    )
