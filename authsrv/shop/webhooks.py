"""Webhook endpoints: making them, wording and signing what they are sent, and judging those that never answer.

Signed as Standard Webhooks says (`webhook-id`, `webhook-timestamp`, `webhook-signature`); in a rotation by two secrets.
"""

from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import orjson
from standardwebhooks import Webhook as Signer

from authsrv.identity.stores import KnownStore
from authsrv.kit.entropy import Entropy
from authsrv.kit.errors import DomainError
from authsrv.kit.outbound import Message
from authsrv.kit.vault import SealBroken, Vault
from authsrv.settings import is_loopback_host
from authsrv.shop.events import EVENTS, PING, queue, timestamp
from authsrv.storage.audit import add_audit_event
from authsrv.storage.clients import Client, find_client_by_row
from authsrv.storage.deliveries import Delivery, move_deliveries
from authsrv.storage.unit import Unit
from authsrv.storage.webhooks import (
    DeliveryAttempt,
    Webhook,
    add_attempt,
    add_webhook,
    delete_webhook,
    disable_webhook,
    find_listening,
    find_webhook,
    note_failure,
    note_success,
    save_webhook,
)

SECRET_PREFIX = "whsec_"
OLD_SECRET_SIGNS = timedelta(hours=24)
SWITCHED_OFF_AFTER = timedelta(days=5)
_SECRET_BYTES = 32
_LONGEST_ANSWER = 1000


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one try to deliver went; no `error` is success."""

    status: int | None
    error: str | None
    answer: bytes
    milliseconds: int


class Webhooks:
    """All that is done with endpoints; secrets are sealed in the database and opened to sign."""

    def __init__(self, vault: Vault, entropy: Entropy, *, allow_loopback: bool) -> None:
        self._vault = vault
        self._entropy = entropy
        self._allow_loopback = allow_loopback

    def create(
        self,
        unit: Unit,
        store: KnownStore,
        url: str,
        events: Sequence[str],
        *,
        developer_id: UUID | None,
        actor: str,
        app: Client | None = None,
        row_id: UUID | None = None,
    ) -> tuple[Webhook, str]:
        """A new endpoint, of an app where one is given, and its secret. Raises `invalid_webhook` naming the fault."""
        self._judge(url, events)
        secret, now = self._new_secret(), unit.now()
        webhook = Webhook(
            id=row_id or unit.new_id(),
            client_id=app.id if app else None,
            store_id=store.id,
            developer_id=developer_id,
            url=url,
            events=list(dict.fromkeys(events)) or list(EVENTS),
            sealed_secret=b"",
            created_at=now,
            updated_at=now,
        )
        webhook.sealed_secret = self._seal(webhook, secret)
        add_webhook(unit, webhook)
        _record(unit, "webhook.created", webhook, actor, store=store.prefix, url=url)
        return webhook, secret

    def change(self, unit: Unit, webhook: Webhook, url: str, events: Sequence[str], *, actor: str) -> None:
        """Another address, other events: what is still to be sent goes there. Raises `invalid_webhook`."""
        self._judge(url, events)
        webhook.url, webhook.events = url, list(dict.fromkeys(events)) or list(EVENTS)
        save_webhook(unit, webhook)
        move_deliveries(unit, webhook.id, url)
        _record(unit, "webhook.changed", webhook, actor, url=url)

    def remove(self, unit: Unit, webhook: Webhook, *, actor: str) -> None:
        """Gone; what was still to be sent to it is dropped."""
        _record(unit, "webhook.deleted", webhook, actor)
        delete_webhook(unit, webhook.id)

    def disable(self, unit: Unit, webhook: Webhook, *, actor: str) -> None:
        """Switches it off until somebody switches it on again."""
        if disable_webhook(unit, webhook.id):
            _record(unit, "webhook.disabled", webhook, actor)

    def rotate_secret(self, unit: Unit, webhook: Webhook, *, actor: str) -> str:
        """A new secret; for a day the old one signs too, so that the receiver can change over."""
        secret = self._new_secret()
        webhook.sealed_old_secret = webhook.sealed_secret
        webhook.old_secret_expires_at = unit.now() + OLD_SECRET_SIGNS
        webhook.sealed_secret = self._seal(webhook, secret)
        save_webhook(unit, webhook)
        _record(unit, "webhook.secret_rotated", webhook, actor)
        return secret

    def enable(self, unit: Unit, webhook: Webhook, *, actor: str) -> None:
        """Switches it on again; what failed before is forgotten."""
        webhook.disabled_at = webhook.failing_since = None
        save_webhook(unit, webhook)
        _record(unit, "webhook.enabled", webhook, actor)

    def ping(self, unit: Unit, webhook: Webhook) -> Delivery:
        """Queues a test message."""
        data = {"webhook_id": str(webhook.id), "sent_at": timestamp(unit.now())}
        return queue(unit, webhook, orjson.dumps({"event": PING, "data": data}), topic=None)

    def word(self, unit: Unit, delivery: Delivery) -> Message | None:
        """The message as it goes out now, signed; None when the endpoint is gone, off, or a suspended app's."""
        webhook = find_listening(unit, delivery.webhook_id) if delivery.webhook_id else None
        if webhook is None:
            return None
        now = unit.now()
        signatures = [
            Signer(secret).sign(str(delivery.id), now, delivery.body) for secret in self._signing_secrets(unit, webhook)
        ]
        headers = {
            "Content-Type": "application/json",
            "webhook-id": str(delivery.id),
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }
        return Message(delivery.body.encode(), headers)

    def record(self, unit: Unit, delivery: Delivery, attempt: Attempt) -> Webhook | None:
        """Writes the try down; returns the endpoint if this try is the one that switched it off."""
        add_attempt(
            unit,
            DeliveryAttempt(
                id=unit.new_id(),
                delivery_id=delivery.id,
                status=attempt.status,
                error=attempt.error,
                answer=attempt.answer.decode("utf-8", "replace").replace("\0", "")[:_LONGEST_ANSWER],
                milliseconds=attempt.milliseconds,
                created_at=unit.now(),
            ),
        )
        if delivery.webhook_id is None:
            return None
        if attempt.error is None:
            note_success(unit, delivery.webhook_id)
            return None
        failing_since = note_failure(unit, delivery.webhook_id)
        if failing_since is None or unit.now() - failing_since < SWITCHED_OFF_AFTER:
            return None
        if not disable_webhook(unit, delivery.webhook_id):
            return None
        webhook = find_webhook(unit, delivery.webhook_id)
        if webhook is not None:
            _record(unit, "webhook.switched_off", webhook, "authsrv")
        return webhook

    def _signing_secrets(self, unit: Unit, webhook: Webhook) -> list[str]:
        secrets = [self._vault.open(webhook.sealed_secret, webhook.id.bytes).decode()]
        if webhook.sealed_old_secret and webhook.old_secret_expires_at and webhook.old_secret_expires_at > unit.now():
            # Rotating is the remedy where the server's own secret was lost: what that sealed must not stand in the way.
            with suppress(SealBroken):
                secrets.append(self._vault.open(webhook.sealed_old_secret, webhook.id.bytes).decode())
        return secrets

    def _new_secret(self) -> str:
        return SECRET_PREFIX + b64encode(self._entropy.token_bytes(_SECRET_BYTES)).decode("ascii")

    def _seal(self, webhook: Webhook, secret: str) -> bytes:
        return self._vault.seal(secret.encode(), webhook.id.bytes)

    def _judge(self, url: str, events: Sequence[str]) -> None:
        self._judge_url(url)
        if unknown := [event for event in events if event not in EVENTS]:
            raise _refused(f"event {unknown[0]} is none of {', '.join(EVENTS)}")

    def _judge_url(self, url: str) -> None:
        """What can be told from the text; where the name leads is judged at each connect."""
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError:
            raise _refused("the URL must name a valid host and port") from None
        if not url.isascii() or any(character <= " " or character == "\x7f" for character in url) or len(url) > 2000:
            raise _refused("the URL has characters a URL cannot have")
        if not parts.hostname or parts.username is not None or parts.fragment:
            raise _refused("the URL must name a host, no user, and have no fragment")
        is_loopback = is_loopback_host(parts.hostname)
        if is_loopback and not self._allow_loopback:
            raise _refused("the URL must not lead to this machine")
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback):
            raise _refused("the URL must be https")


def _record(unit: Unit, event: str, webhook: Webhook, actor: str, **details: str) -> None:
    """What happens to an app's webhook stands in the log of the app."""
    app = find_client_by_row(unit, webhook.client_id) if webhook.client_id else None
    if app is None:
        add_audit_event(unit, event, actor=actor, subject=str(webhook.id), **details)
    else:
        add_audit_event(unit, event, actor=actor, subject=app.client_id, webhook=str(webhook.id), **details)


def _refused(fault: str) -> DomainError:
    return DomainError("invalid_webhook", 400, f"{fault[0].upper()}{fault[1:]}.")
