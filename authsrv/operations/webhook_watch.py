"""Follows what webhooks answer: each try is written down, and who runs an endpoint that never answers gets a mail."""

from dataclasses import dataclass

import structlog

from authsrv.kit.errors import Unavailable
from authsrv.kit.mail import Mail, Mailer
from authsrv.operations.deliveries import Afterwards
from authsrv.shop.webhooks import SWITCHED_OFF_AFTER, Attempt, Webhooks
from authsrv.storage.deliveries import Delivery
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_user_by_id
from authsrv.web.stationery import Stationery
from authsrv.web.texts import DEFAULT

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WebhookWatch:
    """The witness of every webhook delivery."""

    webhooks: Webhooks
    mailer: Mailer | None
    stationery: Stationery

    def witness(self, unit: Unit, delivery: Delivery, attempt: Attempt) -> Afterwards | None:
        """Writes the try down; where it switched the endpoint off, a mail to its developer is left to send."""
        webhook = self.webhooks.record(unit, delivery, attempt)
        developer = find_user_by_id(unit, webhook.developer_id) if webhook and webhook.developer_id else None
        if webhook is None or developer is None or self.mailer is None:
            return None
        mailer, mail = self.mailer, self._word(developer.email, webhook.url)

        async def send() -> None:
            try:
                await mailer.send(mail)
            except Unavailable as away:
                log.warning("mail about a webhook not sent", webhook_id=str(webhook.id), reason=away.reason)

        return send

    def _word(self, email: str, url: str) -> Mail:
        language = self.stationery.texts.of(DEFAULT)
        words = {"url": url, "days": SWITCHED_OFF_AFTER.days}
        return Mail(
            to=email,
            subject=language.say("webhook_mail.subject"),
            text=self.stationery.fill("mails/webhook_off.txt", language, **words),
            html=self.stationery.fill("mails/webhook_off.html", language, **words),
        )
