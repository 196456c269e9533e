"""A client's secrets: two live at once, so that one replaces the other without downtime; when each was last used."""

from datetime import datetime, timedelta
from uuid import UUID

from authsrv.kit.clock import Clock
from authsrv.kit.entropy import Entropy
from authsrv.kit.errors import DomainError
from authsrv.kit.machine_secrets import digest_of, make_secret
from authsrv.oauth.registration import SECRET_PREFIX, add_secret, has_secret_method, refused
from authsrv.storage.audit import add_audit_event
from authsrv.storage.clients import (
    Client,
    add_client_secret,
    end_client_secret,
    expire_secrets,
    list_live_secrets,
    lock_client,
)
from authsrv.storage.unit import Unit

MOST_SECRETS = 2
# How long an app may take to change over.
_OLD_LIVES = timedelta(hours=24)
# The last use is told to within this time, so that a busy client costs no writes.
_NOTED_EVERY_SECONDS = 300.0

# A client's row and the digest of the secret it used.
SecretKey = tuple[UUID, bytes]


class TooManySecrets(DomainError):
    """One must end before another begins."""

    def __init__(self) -> None:
        super().__init__(
            "secrets_full", 409, f"There are {MOST_SECRETS} living secrets already. End one of them first."
        )


def add_second_secret(
    unit: Unit, client: Client, entropy: Entropy, *, actor: str, secret_id: UUID | None = None
) -> str:
    """A secret beside the one that lives; shown now and never again. Raises TooManySecrets."""
    if not has_secret_method(client.token_endpoint_auth_method):
        raise DomainError("invalid_client_metadata", 400, "auth_method: the client has no secret")
    # Of two who add at once, the second sees the first one's.
    lock_client(unit, client)
    if len(list_live_secrets(unit, client.id)) >= MOST_SECRETS:
        raise TooManySecrets
    text = make_secret(SECRET_PREFIX, entropy)
    add_client_secret(unit, client, digest_of(text), text[-4:], secret_id=secret_id)
    add_audit_event(unit, "client.secret_added", actor=actor, subject=client.client_id, last_four=text[-4:])
    return text


def rotate_secret(unit: Unit, client: Client, entropy: Entropy, *, revoke_old: bool, actor: str) -> str:
    """A new secret that works at once; the one before it ends in 24 hours, or now, and any older one now.

    Raises for a client whose method has none.
    """
    if not has_secret_method(client.token_endpoint_auth_method):
        raise refused("auth_method", f"{client.token_endpoint_auth_method} has no secret to rotate")
    # Of two who rotate at once, the second sees the first one's.
    lock_client(unit, client)
    for older in list_live_secrets(unit, client.id)[1:]:
        end_client_secret(unit, client, older.id, unit.now())
    expire_secrets(unit, client, unit.now() if revoke_old else unit.now() + _OLD_LIVES)
    secret = add_secret(unit, client, entropy)
    add_audit_event(unit, "client.secret_rotated", actor=actor, subject=client.client_id)
    return secret


def end_secret(unit: Unit, client: Client, secret_id: UUID, *, at: datetime | None, actor: str) -> None:
    """Sets when a living secret ends: now ends it at once, None lets it live on. Raises not_found."""
    last_four = end_client_secret(unit, client, secret_id, at)
    if last_four is None:
        raise DomainError("not_found", 404, "There is no such living secret.")
    is_over = at is not None and at <= unit.now()
    event = "client.secret_ended" if is_over else "client.secret_expiry_set"
    add_audit_event(
        unit,
        event,
        actor=actor,
        subject=client.client_id,
        last_four=last_four,
        expires_at=at.isoformat(timespec="seconds") if at and not is_over else None,
    )


class SecretUses:
    """Which secrets were used when, in memory until it is written down: a request costs a look into a dictionary."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._noted_at: dict[bytes, float] = {}
        self._uses: dict[SecretKey, datetime] = {}

    def note(self, client_row_id: UUID, digest: bytes) -> None:
        now = self._clock.monotonic()
        if now - self._noted_at.get(digest, float("-inf")) >= _NOTED_EVERY_SECONDS:
            self._noted_at[digest] = now
            self._uses[client_row_id, digest] = self._clock.now()

    def take(self) -> list[tuple[SecretKey, datetime]]:
        """What was noted since the last time this was asked, sorted: two processes must not wait in a circle."""
        now = self._clock.monotonic()
        # What is no news any more: there would be as many as secrets were ever used.
        self._noted_at = {key: at for key, at in self._noted_at.items() if now - at < _NOTED_EVERY_SECONDS}
        uses, self._uses = self._uses, {}
        return sorted(uses.items())
