"""Registered clients as the engine sees them: a frozen copy of the row, from memory, kept true by the feed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from authlib.oauth2.rfc6749 import ClientMixin

from authsrv.kit.cache import LookupCache
from authsrv.kit.machine_secrets import digest_of, is_among
from authsrv.kit.public_keys import PublicKey, read_public_keys
from authsrv.settings import is_loopback_host
from authsrv.storage.clients import MADE, Client, find_caller, list_live_secrets
from authsrv.storage.stores import find_store_by_id
from authsrv.storage.unit import Notice, NoticeKind, Unit
from authsrv.storage.users import find_user_by_id

CLIENT_TYPES = ("web", "spa", "native", "service")
SECRET_METHODS = ("client_secret_basic", "client_secret_post")
# What a client uses when its maker names nothing.
GRANTS_OF_TYPE = {
    "web": ["authorization_code", "refresh_token"],
    "spa": ["authorization_code", "refresh_token"],
    "native": ["authorization_code", "refresh_token"],
    "service": ["client_credentials"],
}
METHOD_OF_TYPE = {"web": None, "spa": "none", "native": "none", "service": None}

_LONGEST_ID = 512
# Compared against when there is no client, so that an unknown one costs what a known one costs.
_NO_SECRET = ((bytes(32), None),)


@dataclass(frozen=True, slots=True)
class RegisteredClient(ClientMixin):  # type: ignore[misc]  # Authlib carries no types
    """A client and its live secrets, as (SHA-256, expiry)."""

    row_id: UUID
    client_id: str
    name: str
    type: str
    store: str | None
    scopes: tuple[str, ...]
    grant_types: frozenset[str]
    redirect_uris: tuple[str, ...]
    auth_method: str | None
    token_format: str
    signing_alg: str
    is_resource_server: bool
    access_seconds: int | None
    is_suspended: bool
    secrets: tuple[tuple[bytes, datetime | None], ...]
    # Empty for who made itself known: nobody vouches for it.
    developer: str = ""
    is_approved: bool = False
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    requires_pkce: bool = True
    id_token_alg: str = "RS256"
    userinfo_alg: str | None = None
    refresh_idle_seconds: int | None = None
    grant_seconds: int | None = None
    code_seconds: int | None = None
    rotates_refresh_tokens: bool = True
    subject_type: str = "public"
    logo_uri: str | None = None
    client_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    consent_changed_at: datetime | None = None
    keys: tuple[PublicKey, ...] = ()
    jwks_uri: str | None = None
    # How often it may ask for tokens and call the API, where that is not the server's own.
    token_limit: str | None = None
    api_limit: str | None = None
    # Whether a refresh has to name the person it is for.
    refresh_needs_email: bool = False
    origin: str = MADE
    # The person whose own it is: what it does for itself, it does for them.
    acts_for: str | None = None

    @property
    def is_public(self) -> bool:
        return self.auth_method == "none"

    @property
    def sector(self) -> str | None:
        """What pairwise subjects are computed for (OIDC Core 8.1); None for a client with public subjects."""
        if self.subject_type != "pairwise":
            return None
        return next(filter(None, map(sector_of, self.redirect_uris)), self.client_id)

    @property
    def session_sector(self) -> str:
        """What the names of sessions are computed for."""
        return self.sector or self.client_id

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Whether the client is registered for this way of authenticating (RFC 7591, 2)."""
        return method in SECRET_METHODS if self.auth_method is None else method == self.auth_method

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.grant_types


def sector_of(redirect_uri: str) -> str:
    """Whose a redirect URI is: its host's (OIDC Core 8.1), or its private-use scheme's; empty for loopback.

    That host is shared by all native apps, so it makes no two of them one party.
    """
    parts = urlsplit(redirect_uri)
    if parts.scheme not in {"https", "http"} or parts.hostname is None:
        return f"{parts.scheme}:"
    return "" if is_loopback_host(parts.hostname) else parts.hostname


def find_secret(client: RegisteredClient | None, secret: str, now: datetime) -> bytes | None:
    """The digest of the secret if it is one of the client's live ones; told in the same time for an unknown client."""
    digests = [digest for digest, end in (client.secrets if client else _NO_SECRET) if end is None or end > now]
    presented = digest_of(secret)
    return presented if is_among(presented, digests) and client is not None else None


class ClientDirectory:
    """Looks clients up by `client_id`; a warm process asks the database nothing."""

    def __init__(self) -> None:
        self._cache: LookupCache[RegisteredClient] = LookupCache()

    def find(self, unit: Unit, client_id: str) -> RegisteredClient | None:
        # PostgreSQL refuses NUL in text; and what no client can be called is not worth remembering.
        if "\0" in client_id or len(client_id) > _LONGEST_ID:
            return None
        return self._cache.get(client_id, lambda key: _load(unit, key))

    def knows(self, client_id: str) -> bool:
        """Whether `recall` can tell without the database."""
        return self._cache.knows(client_id)

    def recall(self, client_id: str) -> RegisteredClient | None:
        """The client from memory."""
        return self._cache.recall(client_id)

    def forget(self, client_id: str) -> None:
        """Looks it up anew the next time."""
        self._cache.forget(client_id)

    def hear(self, notices: Sequence[Notice]) -> None:
        for notice in notices:
            if notice.kind in {NoticeKind.CLIENT, NoticeKind.CLIENT_CHANGED}:
                self._cache.forget(notice.subject)

    def clear(self) -> None:
        self._cache.clear()


def _load(unit: Unit, client_id: str) -> RegisteredClient | None:
    row = find_caller(unit, client_id)
    if row is None:
        return None
    store = find_store_by_id(unit, row.store_id) if row.store_id else None
    secrets = tuple((secret.digest, secret.expires_at) for secret in list_live_secrets(unit, row.id))
    developer = find_user_by_id(unit, row.developer_id) if row.origin == MADE else None
    return registered(
        row, store.prefix if store else None, secrets, developer.name or developer.email if developer else ""
    )


def registered(
    row: Client, store: str | None, secrets: tuple[tuple[bytes, datetime | None], ...], developer: str
) -> RegisteredClient:
    """The row as the engine sees it."""
    return RegisteredClient(
        row_id=row.id,
        client_id=row.client_id,
        name=row.name,
        type=row.type,
        store=store,
        scopes=tuple(row.scope.split()),
        grant_types=frozenset(row.grant_types),
        redirect_uris=tuple(row.redirect_uris),
        auth_method=row.token_endpoint_auth_method,
        token_format=row.token_format,
        signing_alg=row.signing_alg,
        is_resource_server=row.is_resource_server,
        access_seconds=row.access_seconds,
        is_suspended=row.suspended_at is not None,
        secrets=secrets,
        developer=developer,
        is_approved=row.approved_at is not None,
        post_logout_redirect_uris=tuple(row.post_logout_redirect_uris),
        backchannel_logout_uri=row.backchannel_logout_uri,
        requires_pkce=row.pkce == "required",
        id_token_alg=row.id_token_alg,
        userinfo_alg=row.userinfo_alg,
        refresh_idle_seconds=row.refresh_idle_seconds,
        grant_seconds=row.grant_seconds,
        code_seconds=row.code_seconds,
        rotates_refresh_tokens=row.rotates_refresh_tokens,
        subject_type=row.subject_type,
        logo_uri=row.logo_uri,
        client_uri=row.client_uri,
        policy_uri=row.policy_uri,
        tos_uri=row.tos_uri,
        consent_changed_at=row.consent_changed_at,
        origin=row.origin,
        keys=read_public_keys(row.jwks),
        jwks_uri=row.jwks_uri,
        token_limit=row.token_limit,
        api_limit=row.api_limit,
        refresh_needs_email=row.refresh_needs_email,
        acts_for=str(row.user_id) if row.user_id else None,
    )
