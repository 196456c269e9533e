"""A real SMTP server that keeps the mail it receives, and can be told to refuse it or to hang."""

import asyncio
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.ports import LOOPBACK, free_port

OK = "250 OK"


class SmtpSink:
    """Listens from entering the context to leaving it; `messages` are in the order of arrival."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"smtp://{LOOPBACK}:{self.port}"
        self.messages: list[EmailMessage] = []
        self._reply: str | None = OK
        self._arrived = threading.Condition()
        # aiosmtpd runs the server in a thread with an event loop of its own.
        self._controller = Controller(self, hostname=LOOPBACK, port=self.port)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._controller.stop()

    def accept(self) -> None:
        """Take mail again, as at first."""
        self._reply = OK

    def refuse(self, reply: str = "550 mailbox unavailable") -> None:
        """Answer every mail with `reply`: 4xx asks the sender to try later, 5xx to give up."""
        self._reply = reply

    def hang(self) -> None:
        """Take connections and never answer a mail."""
        self._reply = None

    def wait_for(self, count: int, timeout_seconds: float = 5) -> list[EmailMessage]:
        """All messages, once there are at least `count`; TimeoutError if there never are."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.messages) >= count, timeout_seconds):
                raise TimeoutError(f"{len(self.messages)} of {count} messages after {timeout_seconds} s")
            return list(self.messages)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Called by aiosmtpd when a sender begins a mail."""
        if self._reply is None:
            await asyncio.Event().wait()
        if self._reply == OK:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return str(self._reply)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Called by aiosmtpd when a mail is complete."""
        assert isinstance(envelope.content, bytes)
        text = envelope.content.replace(b"\r\n", b"\n")  # CRLF is how it travels, not what was written
        with self._arrived:
            self.messages.append(message_from_bytes(text, policy=policy.default))
            self._arrived.notify_all()
        return OK
