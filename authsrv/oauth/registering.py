"""Apps register, read, change and remove themselves (RFC 7591, 3; RFC 7592, 2).

A client without a secret is the same for whoever asks for the same: a second asker is given it, but nothing that could
change it, and from then on neither can the first. A client with a secret is always a new one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from authsrv.kit.entropy import Entropy
from authsrv.kit.errors import CredentialMissing, DomainError
from authsrv.kit.handles import Handle, HandleSealer, Purpose
from authsrv.kit.machine_secrets import matches_any
from authsrv.oauth.client_changes import IDENTITY
from authsrv.oauth.client_deletion import delete_client
from authsrv.oauth.client_metadata import fingerprint_of, read_metadata
from authsrv.oauth.registration import (
    NewClient,
    add_secret,
    create_client,
    has_secret_method,
    judge_client,
    new_client_id,
    refused,
)
from authsrv.oauth.scopes import ScopeCatalogue
from authsrv.storage.audit import add_audit_event
from authsrv.storage.clients import (
    REGISTERED,
    Client,
    expire_secrets,
    find_client,
    find_client_by_row,
    hold_client,
    list_live_secrets,
    save_client,
)
from authsrv.storage.registrations import (
    UNUSED_LIVES,
    Registration,
    add_registration,
    end_registration,
    find_initial_access_token,
    find_registration,
    forget_fingerprint,
    share_registration,
    step_registration,
)
from authsrv.storage.unit import Unit

REGISTRATION_TOKEN = Purpose(12, "rg_")
INITIAL_ACCESS_TOKEN = Purpose(13, "ia_")
CLOSED, BY_TOKEN, OPEN = "closed", "token", "open"
_ACTOR = "registration"
# A client that lost the answer to a change still holds the token from before it.
_OLD_TOKEN_LIVES = timedelta(minutes=10)
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="authsrv", error="invalid_token"'}
_CHANGEABLE = (
    *IDENTITY,
    "type",
    "scope",
    "post_logout_redirect_uris",
    "backchannel_logout_uri",
    "jwks",
    "jwks_uri",
    "grant_types",
    "id_token_alg",
    "userinfo_alg",
    "subject_type",
    "client_uri",
    "policy_uri",
    "tos_uri",
)


@dataclass(frozen=True, slots=True)
class Registered:
    """A client as its maker learns of it; `secret` only when it is new, `token` only for whom it is alone."""

    client: Client
    secret: str | None = None
    token: str | None = None


class Registrar:
    """Lets apps in, by the way that the settings leave open, and lets them change what is theirs."""

    def __init__(self, *, mode: str, sealer: HandleSealer, scopes: ScopeCatalogue, entropy: Entropy) -> None:
        self.is_closed = mode == CLOSED
        self._needs_token = mode == BY_TOKEN
        self._sealer = sealer
        self._scopes = scopes
        self._entropy = entropy

    def register(self, unit: Unit, metadata: Mapping[str, Any], initial_token: str | None) -> Registered:
        """A client with this metadata. Raises DomainError as RFC 7591, 3.2.2 says, 401 and 403 included."""
        if self.is_closed:
            raise DomainError("access_denied", 403, "Apps cannot register themselves here: ask who runs this server.")
        allowed_by = self._initial_token(unit, initial_token)
        new = read_metadata(metadata, self._scopes, origin=REGISTERED)
        if has_secret_method(new.auth_method):
            return self._add(unit, new, allowed_by, None)
        fingerprint = fingerprint_of(new, str(allowed_by or ""))
        if (known := _find_shared(unit, fingerprint)) is not None:
            return Registered(known)
        try:
            with unit.session.begin_nested():
                return self._add(unit, new, allowed_by, fingerprint)
        except IntegrityError:
            # The very same was asked for at the very same time.
            if (known := _find_shared(unit, fingerprint)) is None:
                raise
            return Registered(known)

    def open(self, unit: Unit, client_id: str, token: str | None) -> Registered:
        """The client, for who holds its registration access token. Raises `unauthorized` (RFC 7592, 2.1)."""
        if token is None:
            raise CredentialMissing("A registration access token is needed.", {"WWW-Authenticate": "Bearer"})
        handle = self._sealer.open(REGISTRATION_TOKEN, token)
        client = find_client(unit, client_id) if handle and "\0" not in client_id else None
        registration = find_registration(unit, handle.row_id) if handle else None
        if handle is None or client is None or registration is None or client.id != handle.row_id:
            raise _refused_token()
        is_current = handle.counter == registration.generation
        renewed_at = registration.renewed_at
        is_last = handle.counter == registration.generation - 1 and renewed_at is not None
        if not is_current and not (is_last and renewed_at and renewed_at > unit.now() - _OLD_TOKEN_LIVES):
            raise _refused_token()
        return Registered(client, token=self._token(client.id, registration.generation))

    def change(self, unit: Unit, client_id: str, token: str | None, metadata: Mapping[str, Any]) -> Registered:
        """The client with this metadata in place of what it had, and the next token (RFC 7592, 2.2)."""
        client = self.open(unit, client_id, token).client
        _refuse_if_suspended(client)
        _judge_sent(unit, client, metadata)
        new = read_metadata(metadata, self._scopes, origin=REGISTERED)
        judge_client(new, new.grant_types, new.auth_method, self._scopes)
        generation = self._step(unit, client, new)
        # It may be approved at this very moment, as what it was.
        hold_client(unit, client)
        apply_metadata(unit, client, new)
        secret = self._settle_secrets(unit, client)
        add_audit_event(unit, "client.changed", actor=client.client_id, subject=client.client_id)
        return Registered(client, secret, self._token(client.id, generation))

    def remove(self, unit: Unit, client_id: str, token: str | None) -> None:
        """The client and all its tokens are gone (RFC 7592, 2.3)."""
        client = self.open(unit, client_id, token).client
        _refuse_if_suspended(client)
        if not end_registration(unit, client.id):
            raise _shared()
        delete_client(unit, client, actor=client.client_id)

    def _initial_token(self, unit: Unit, text: str | None) -> UUID | None:
        if not self._needs_token:
            return None
        if text is None:
            raise CredentialMissing("An initial access token is needed.", {"WWW-Authenticate": "Bearer"})
        handle = self._sealer.open(INITIAL_ACCESS_TOKEN, text)
        known = find_initial_access_token(unit, handle.row_id) if handle else None
        if known is None:
            raise _refused_token()
        return known.id

    def _add(self, unit: Unit, new: NewClient, allowed_by: UUID | None, fingerprint: bytes | None) -> Registered:
        client_id = new_client_id(self._entropy)
        client = create_client(unit, new, client_id=client_id, actor=_ACTOR, scopes=self._scopes)
        secret = add_secret(unit, client, self._entropy) if has_secret_method(new.auth_method) else None
        registration = begin_registration(unit, client, allowed_by, fingerprint)
        return Registered(client, secret, self._token(client.id, registration.generation))

    def _token(self, row_id: UUID, generation: int) -> str:
        return self._sealer.seal(REGISTRATION_TOKEN, Handle(row_id, generation))

    def _step(self, unit: Unit, client: Client, new: NewClient) -> int:
        """The next generation. What was asked for is remembered anew, unless another client goes by it already."""
        registration = find_registration(unit, client.id)
        if registration is None or registration.is_shared:
            raise _shared()
        by = str(registration.initial_access_token_id or "")
        fingerprint = None if has_secret_method(new.auth_method) else fingerprint_of(new, by)
        for wanted in (fingerprint, None):
            try:
                with unit.session.begin_nested():
                    if step_registration(unit, client.id, registration.generation, wanted):
                        return registration.generation + 1
            except IntegrityError:
                continue
            break
        raise DomainError("invalid_request", 409, "The client was changed by another request at the same time.")

    def _settle_secrets(self, unit: Unit, client: Client) -> str | None:
        """A secret for who needs one now, none for who needs none any more."""
        if not has_secret_method(client.token_endpoint_auth_method):
            expire_secrets(unit, client, unit.now())
            return None
        return None if list_live_secrets(unit, client.id) else add_secret(unit, client, self._entropy)


def begin_registration(
    unit: Unit, client: Client, allowed_by: UUID | None = None, fingerprint: bytes | None = None
) -> Registration:
    """What is kept of a client that made itself known. Raises IntegrityError where the fingerprint is another's."""
    now = unit.now()
    registration = Registration(
        client_id=client.id,
        initial_access_token_id=allowed_by,
        fingerprint=fingerprint,
        created_at=now,
        expires_at=now + UNUSED_LIVES,
    )
    add_registration(unit, registration)
    return registration


def apply_metadata(unit: Unit, client: Client, new: NewClient, *, changed_at: datetime | None = None) -> None:
    """Writes what differs; another name or other redirect URIs make it, to people and operators, another app.

    What people allowed until `changed_at` (now, where it is left out) they allowed to the app it was before.
    """
    wanted = {name: getattr(new, name) for name in _CHANGEABLE} | {"token_endpoint_auth_method": new.auth_method}
    changed = {name: value for name, value in wanted.items() if getattr(client, name) != value}
    if not changed:
        return
    if not changed.keys().isdisjoint(IDENTITY):
        client.consent_changed_at = changed_at or unit.now()
        client.approved_at = None
    for name, value in changed.items():
        setattr(client, name, value)
    save_client(unit, client)


def _find_shared(unit: Unit, fingerprint: bytes) -> Client | None:
    row_id = share_registration(unit, fingerprint)
    client = find_client_by_row(unit, row_id) if row_id else None
    if row_id is not None and client is None:
        # An operator deleted it: nobody is given it any more.
        forget_fingerprint(unit, row_id)
    return client


def _judge_sent(unit: Unit, client: Client, metadata: Mapping[str, Any]) -> None:
    """RFC 7592, 2.2: the id must be there and the client's own, and so must the secret be, if it is there."""
    if metadata.get("client_id") != client.client_id:
        raise refused("client_id", "must be the client's own")
    secret = metadata.get("client_secret")
    if secret is not None:
        digests = [live.digest for live in list_live_secrets(unit, client.id)]
        if not isinstance(secret, str) or not matches_any(secret, digests):
            raise refused("client_secret", "is not the client's; it cannot be chosen")


def _refuse_if_suspended(client: Client) -> None:
    if client.suspended_at is not None:
        raise DomainError("access_denied", 403, "The app is suspended.")


def _shared() -> DomainError:
    description = "Others registered the same app and were given this client too: it cannot be changed or removed."
    return DomainError("access_denied", 403, description)


def _refused_token() -> DomainError:
    return DomainError("unauthorized", 401, "The token is not valid here.", headers=_CHALLENGE)
