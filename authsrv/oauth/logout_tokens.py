"""Telling apps that a person's session ended (OpenID Connect Back-Channel Logout 1.0)."""

from datetime import timedelta
from typing import cast
from urllib.parse import urlencode
from uuid import UUID

import orjson

from authsrv.identity.subjects import session_name_for, subject_for
from authsrv.kit.clock import Clock
from authsrv.kit.identifiers import Identifiers
from authsrv.kit.outbound import Message
from authsrv.kit.signing import Algorithm
from authsrv.oauth.clients import ClientDirectory, RegisteredClient
from authsrv.oauth.keyring import Keyring
from authsrv.storage.deliveries import Delivery, add_delivery, list_logout_targets
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_user_by_id

KIND = "backchannel_logout"
_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_LIFETIME_SECONDS = 120
_KEPT = timedelta(days=3)
_HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}


class BackchannelLogout:
    """Queues a message for each app that took part in a session, and words it when it is sent."""

    def __init__(
        self,
        *,
        issuer: str,
        keyring: Keyring,
        clients: ClientDirectory,
        identifiers: Identifiers,
        clock: Clock,
    ) -> None:
        self._issuer = issuer
        self._keyring = keyring
        self._clients = clients
        self._identifiers = identifiers
        self._clock = clock

    def queue_logouts(self, unit: Unit, session_id: UUID, user_id: UUID) -> None:
        """In the transaction that ends the session: one delivery for each app that asked to be told and has a grant."""
        user = find_user_by_id(unit, user_id)
        salt = user.subject_salt if user else None
        for client_id in list_logout_targets(unit, session_id, user_id):
            client = self._clients.find(unit, client_id)
            if client is None or client.backchannel_logout_uri is None:
                continue
            told = {
                "client_id": client_id,
                "sub": subject_for(user_id, salt, client.sector),
                "sid": session_name_for(session_id, salt, client.session_sector),
            }
            now = unit.now()
            delivery = Delivery(
                id=unit.new_id(),
                kind=KIND,
                client_id=client_id,
                url=client.backchannel_logout_uri,
                body=orjson.dumps(told).decode(),
                due_at=now,
                created_at=now,
                expires_at=now + _KEPT,
            )
            add_delivery(unit, delivery)

    def word(self, unit: Unit, delivery: Delivery) -> Message | None:
        """The message as it goes out now; None when the app is gone or suspended and nobody is left to tell."""
        client = self._clients.find(unit, delivery.client_id)
        if client is None or client.is_suspended:
            return None
        told = orjson.loads(delivery.body)
        token = self.logout_token(client, told["sub"], told["sid"])
        return Message(urlencode({"logout_token": token}).encode("ascii"), _HEADERS)

    def logout_token(self, client: RegisteredClient, subject: str, session_name: str) -> str:
        """A fresh logout token for the client (Back-Channel Logout 1.0, 2.4)."""
        key = self._keyring.signing(cast("Algorithm", client.id_token_alg))
        now = self._clock.time_ns() // 1_000_000_000
        claims = {
            "iss": self._issuer,
            "sub": subject,
            "aud": client.client_id,
            "iat": now,
            "exp": now + _LIFETIME_SECONDS,
            "jti": str(self._identifiers.next()),
            "events": {_EVENT: {}},
            "sid": session_name,
        }
        return key.signer.sign(claims, "logout+jwt")
