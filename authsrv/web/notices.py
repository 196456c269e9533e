"""Mails that tell somebody of something, in plain words with one link at most; sent after the commit."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from authsrv.kit.mail import Mail, MailAway, Mailer
from authsrv.web.stationery import Stationery
from authsrv.web.texts import Language

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Post:
    """What mails are worded and sent with."""

    # None where mail is not set up.
    mailer: Mailer | None
    stationery: Stationery
    issuer: str


async def send_notice(post: Post, mail: Mail) -> bool:
    """Hands the mail over; False where mail is away or not set up, which is in the log and stops nothing."""
    if post.mailer is None:
        log.warning("notice not sent", reason="mail_url is not set")
        return False
    try:
        await post.mailer.send(mail)
    except MailAway as away:
        log.warning("notice not sent", reason=away.reason)
        return False
    return True


def word_notice(
    post: Post,
    language: Language,
    *,
    to: str,
    subject: str,
    lines: Sequence[str],
    link: str | None = None,
    link_text: str = "",
) -> Mail:
    """The mail, as plain text and as HTML. What people chose must not break a header: the subject is one line."""
    words = {"lines": [line for line in lines if line], "link": link, "link_text": link_text}
    return Mail(
        to=to,
        subject=" ".join(subject.split()),
        text=post.stationery.fill("mails/notice.txt", language, **words),
        html=post.stationery.fill("mails/notice.html", language, subject=subject, **words),
    )
