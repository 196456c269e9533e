"""The client that a store is itself: people sign in to it by a code and are asked for no consent, being at the shop.

It has no secret and no redirect URI, so it can begin nothing at the standard endpoints. What its tokens look like and
how long they live is data on its row, as with every client.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from authsrv.identity.stores import KnownStore
from authsrv.identity.suspension import PersonSuspended
from authsrv.kit.errors import DomainError
from authsrv.kit.rates import OFF
from authsrv.oauth.clients import ClientDirectory, RegisteredClient, registered
from authsrv.oauth.issuing import Issuing
from authsrv.settings import TokenSettings
from authsrv.storage.audit import add_audit_event
from authsrv.storage.clients import Client, add_client_once
from authsrv.storage.grants import Grant, add_grant
from authsrv.storage.refreshing import LiveGrant
from authsrv.storage.unit import Unit
from authsrv.storage.users import User, find_owner

_NO_SECRET = "none"
_OFF = "Signing in here is switched off."


@dataclass(frozen=True, slots=True)
class OwnClient:
    """What such a client is made with, when somebody first signs in."""

    client_id: str
    scope: str
    access_seconds: int
    refresh_idle_seconds: int
    token_format: str = "opaque"
    # All its people share it, so each of them is counted where they call, and it is not.
    api_limit: str = OFF
    # Nobody can prove to be this client, so a refresh has to name the person.
    refresh_needs_email: bool = True


def ensure_own_client(
    unit: Unit, clients: ClientDirectory, store: KnownStore, wanted: OwnClient, person: User
) -> RegisteredClient:
    """The store's own client, made now if there is none. Raises `access_denied` when an operator suspended it."""
    client = clients.find(unit, wanted.client_id) or _make(unit, clients, store, wanted, person)
    if client.is_suspended or client.store != store.prefix:
        raise DomainError("access_denied", 403, _OFF)
    return client


def admit(
    unit: Unit,
    issuing: Issuing,
    lifetimes: TokenSettings,
    client: RegisteredClient,
    *,
    store: KnownStore,
    person: User,
    amr: Sequence[str],
) -> dict[str, Any]:
    """A grant for the person who has just signed in, and the body of its token response (RFC 6749, 5.1)."""
    now = unit.now()
    grant = Grant(
        id=unit.new_id(),
        user_id=person.id,
        client_id=client.row_id,
        store_id=store.id,
        scope=" ".join(client.scopes),
        requested_scope=" ".join(client.scopes),
        auth_time=now,
        amr=" ".join(amr),
        is_refreshable=True,
        # There was no code on the way.
        redeemed_at=now,
        created_at=now,
        expires_at=now + timedelta(seconds=client.grant_seconds or lifetimes.grant_seconds),
    )
    if not add_grant(unit, grant):
        # A moment ago: the tokens would hang on nothing that could end them.
        raise PersonSuspended
    return issuing.answer(
        client,
        _living(grant, person, store),
        client.scopes,
        (issuing.tokens.issuer,),
        nonce=None,
        with_refresh_token=True,
    )


def _make(unit: Unit, clients: ClientDirectory, store: KnownStore, wanted: OwnClient, person: User) -> RegisteredClient:
    now = unit.now()
    row = Client(
        id=unit.new_id(),
        client_id=wanted.client_id,
        name=store.name,
        type="spa",
        # Somebody has to be named; a store that nobody owns yet names its first customer, who gains nothing by it.
        developer_id=find_owner(unit, store.id) or person.id,
        store_id=store.id,
        scope=wanted.scope,
        grant_types=["refresh_token"],
        redirect_uris=[],
        post_logout_redirect_uris=[],
        token_endpoint_auth_method=_NO_SECRET,
        token_format=wanted.token_format,
        access_seconds=wanted.access_seconds,
        refresh_idle_seconds=wanted.refresh_idle_seconds,
        refresh_needs_email=wanted.refresh_needs_email,
        api_limit=wanted.api_limit,
        approved_at=now,
        created_at=now,
        updated_at=now,
    )
    if not add_client_once(unit, row):
        # Another sign-in made it a moment ago; what was remembered is that there is none.
        clients.forget(wanted.client_id)
        if (found := clients.find(unit, wanted.client_id)) is None:
            raise DomainError("access_denied", 403, _OFF)
        return found
    add_audit_event(unit, "client.created", actor="authsrv", subject=wanted.client_id, type="spa")
    return registered(row, store.prefix, (), "")


def _living(grant: Grant, person: User, store: KnownStore) -> LiveGrant:
    facts = {name: getattr(grant, name) for name in LiveGrant.__dataclass_fields__ if name in Grant.model_fields}
    return LiveGrant(
        **facts,
        email=person.email,
        name=person.name,
        subject_salt=person.subject_salt,
        email_verified_at=person.email_verified_at,
        store=store.prefix,
    )
