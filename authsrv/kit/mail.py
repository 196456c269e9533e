"""Mail that leaves the house: multipart messages over SMTP (RFC 5321, RFC 2046), within seconds or not at all."""

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid, parseaddr
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib
import structlog
from email_validator import validate_email

from authsrv.kit.clock import Clock
from authsrv.kit.errors import Unavailable

log = structlog.get_logger(__name__)

OUTBOX = "outbox:"
_ALL_SECONDS = 6.0
_ONE_SECONDS = 4.0
_GOODBYE_SECONDS = 0.5
_RETRIES = 2
_PAUSE_SECONDS = 0.25
_TLS_MODES = {"": None, "auto": None, "starttls": True, "none": False}


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one person: the same words as plain text and as HTML."""

    to: str
    subject: str
    text: str
    html: str


class MailAway(Unavailable):
    """The mail could not be handed over; `is_final` when trying again would not help."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.code = "mail_unavailable"
        self.is_final = is_final


class Mailer(Protocol):
    """Whatever takes a mail away."""

    async def send(self, mail: Mail) -> None:
        """Returns once the mail was taken over. Raises MailAway."""
        ...


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail goes. `start_tls` None: when the server offers it."""

    host: str
    port: int
    username: str | None
    password: str | None
    implicit_tls: bool
    start_tls: bool | None


def read_mail_url(url: str) -> SmtpServer | None:
    """The SMTP server of `smtp://user:pass@host:port?tls=starttls` or `smtps://…`; None for `outbox:` and for none.

    Raises ValueError for anything else, without repeating the URL: it may hold a password.
    """
    if url in {"", OUTBOX}:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        # What it says quotes what it stumbled over, which may be half a password.
        raise ValueError("has no host and port; a user name or password has / as %2F, ? as %3F, # as %23") from None
    mode = parse_qs(parts.query).get("tls", [""])[-1]
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or mode not in _TLS_MODES:
        raise ValueError("must be smtp://user:pass@host:port?tls=starttls, smtps://…, or outbox:")
    implicit = parts.scheme == "smtps"
    return SmtpServer(
        host=parts.hostname,
        port=port or (465 if implicit else 587 if _TLS_MODES[mode] else 25),
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        implicit_tls=implicit,
        start_tls=False if implicit else _TLS_MODES[mode],
    )


def read_sender(text: str) -> Address:
    """The sender of `login@shops.example` or `Shop <login@shops.example>`. Raises ValueError for anything else."""
    name, address = parseaddr(text)
    try:
        return Address(name, addr_spec=address)
    except (ValueError, IndexError, HeaderParseError):
        raise ValueError("must be an address, as in login@shops.example or Shop <login@shops.example>") from None


class SmtpMailer:
    """Hands each mail to the server itself, with a retry or two while there is time."""

    def __init__(self, server: SmtpServer, sender: Address, clock: Clock) -> None:
        self._server = server
        self._clock = clock
        self._sender = sender

    async def send(self, mail: Mail) -> None:
        """Raises MailAway after a few seconds at most."""
        message = self._message(mail)
        try:
            async with asyncio.timeout(_ALL_SECONDS):
                await self._persist(message)
        except TimeoutError:
            raise MailAway("the mail server did not answer in time") from None

    async def _persist(self, message: EmailMessage) -> None:
        for left in reversed(range(_RETRIES + 1)):
            try:
                await self._hand_over(message)
            except MailAway as away:
                if away.is_final or not left:
                    raise
                log.info("mail is tried again", reason=away.reason)
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                return

    async def _hand_over(self, message: EmailMessage) -> None:
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.implicit_tls,
            start_tls=server.start_tls,
            timeout=_ONE_SECONDS,
        )
        try:
            await client.connect()
            await client.send_message(message)
            with suppress(aiosmtplib.SMTPException):
                await client.quit(timeout=_GOODBYE_SECONDS)
        except aiosmtplib.SMTPTimeoutError:
            # Who hung once would hang again, and the person is waiting.
            raise MailAway("the mail server did not answer in time", is_final=True) from None
        except aiosmtplib.SMTPRecipientsRefused as refused:
            codes = [recipient.code for recipient in refused.recipients]
            raise MailAway(f"the mail server refused the recipient: {codes}", is_final=min(codes) >= 500) from None
        except aiosmtplib.SMTPResponseException as refused:
            reason = f"the mail server answered {refused.code}"
            # RFC 5321, 4.2.1: 5yz is a permanent negative completion reply.
            raise MailAway(reason, is_final=refused.code >= 500) from None
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError) as away:
            raise MailAway(f"the mail server is away: {type(away).__name__}") from None
        finally:
            # At once: a goodbye to a server that hangs would hang too.
            client.close()

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = self._sender
        # Its domain in ASCII (RFC 5890), so that only a name before the @ that is not needs a server with SMTPUTF8.
        to = validate_email(mail.to, check_deliverability=False, test_environment=True)
        message["To"] = Address(username=to.local_part, domain=to.ascii_domain)
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = make_msgid(domain=self._sender.domain or "localhost")
        # RFC 3834, 5: no holiday notes in answer, please.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        return message
