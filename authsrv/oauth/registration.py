"""Registering and changing a client: what each kind may have is judged here, whatever the way in (RFC 7591, 2)."""

import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy.exc import IntegrityError

from authsrv.kit.entropy import Entropy
from authsrv.kit.errors import DomainError
from authsrv.kit.machine_secrets import digest_of, make_secret
from authsrv.kit.public_keys import ALGORITHMS as PUBLIC_KEY_ALGORITHMS
from authsrv.kit.public_keys import read_public_keys
from authsrv.kit.rates import OFF, read_rate
from authsrv.kit.signing import ALGORITHMS
from authsrv.oauth.clients import CLIENT_TYPES, GRANTS_OF_TYPE, METHOD_OF_TYPE, SECRET_METHODS, sector_of
from authsrv.oauth.keyring import LONGEST_TOKEN
from authsrv.oauth.scopes import ScopeCatalogue, split_scope
from authsrv.settings import is_loopback_host
from authsrv.storage.api_keys import announce_keys_of
from authsrv.storage.approvals import APP, APPROVED, settle_open_requests
from authsrv.storage.audit import add_audit_event
from authsrv.storage.client_members import ADMIN, add_member
from authsrv.storage.clients import (
    MADE,
    Client,
    add_client,
    add_client_secret,
    save_client,
)
from authsrv.storage.grants import revoke_client_grants
from authsrv.storage.revocations import add_revocation
from authsrv.storage.stores import find_store
from authsrv.storage.unit import NoticeKind, Unit
from authsrv.storage.users import NOBODY, find_or_add_user

SECRET_PREFIX = "cs_"
AUTH_METHODS = (*SECRET_METHODS, "private_key_jwt", "none")
# The columns they are kept in have no room for more.
_LONGEST_URI = 2000
ALL_GRANTS = ("authorization_code", "refresh_token", "client_credentials")
# RFC 8252, 7.1: reverse domain names, so that no two apps meet by accident.
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")


@dataclass(frozen=True, slots=True)
class NewClient:
    """What is wanted of a client; None leaves the choice to its type."""

    name: str
    developer: str
    type: str
    scope: str | None = None
    store: str | None = None
    redirect_uris: list[str] = field(default_factory=list)
    post_logout_redirect_uris: list[str] = field(default_factory=list)
    backchannel_logout_uri: str | None = None
    auth_method: str | None = None
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None
    grant_types: list[str] = field(default_factory=list)
    pkce: str = "required"
    token_format: str = "jwt"
    signing_alg: str = "ES256"
    id_token_alg: str = "RS256"
    is_resource_server: bool = False
    is_approved: bool = False
    access_seconds: int | None = None
    refresh_idle_seconds: int | None = None
    grant_seconds: int | None = None
    code_seconds: int | None = None
    rotates_refresh_tokens: bool = True
    subject_type: str = "public"
    userinfo_alg: str | None = None
    token_limit: str | None = None
    api_limit: str | None = None
    client_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    origin: str = MADE


class RefusedUri(DomainError):
    """A URI that cannot be registered; `fault` is the key of the reason in `URI_FAULTS`."""

    def __init__(self, uri: str, fault: str, field_name: str) -> None:
        code = "invalid_redirect_uri" if field_name.endswith("redirect_uri") else "invalid_client_metadata"
        super().__init__(code, 400, f"{field_name} {uri[:200]}: {URI_FAULTS[fault]}")
        self.fault = fault


URI_FAULTS = {
    "length": f"has more than {_LONGEST_URI} characters",
    "characters": "has characters a URI cannot have",
    "host": "has no valid host and port",
    "fragment": "must have no fragment and no user name",
    "wildcard": "must be exact: no wildcard and no ..",
    "absolute": "must be an absolute https URL",
    "plain": "must be https; plain http is for loopback addresses only",
    "scheme": "must be https (a native app may use a scheme in reverse domain notation, com.example.app:/)",
}


def create_client(
    unit: Unit, new: NewClient, *, client_id: str, actor: str, scopes: ScopeCatalogue, row_id: UUID | None = None
) -> Client:
    """Stores the client, with its developer if they are new, who becomes its admin.

    Raises DomainError `invalid_client_metadata` or `invalid_redirect_uri` (RFC 7591, 3.2.2) naming the field.
    """
    grant_types = new.grant_types or GRANTS_OF_TYPE.get(new.type, [])
    auth_method = new.auth_method or METHOD_OF_TYPE.get(new.type)
    judge_client(new, grant_types, auth_method, scopes)
    store = find_store(unit, new.store) if new.store else None
    if new.store and store is None:
        raise refused("store", f"there is no store {new.store}")
    # Nobody vouches for what makes itself known.
    developer, _ = find_or_add_user(unit, email=new.developer if new.origin == MADE else NOBODY)
    now = unit.now()
    client = Client(
        id=row_id or unit.new_id(),
        client_id=client_id,
        name=new.name,
        type=new.type,
        developer_id=developer.id,
        origin=new.origin,
        store_id=store.id if store else None,
        scope=" ".join(split_scope(scopes.defaults(new.type) if new.scope is None else new.scope)),
        grant_types=grant_types,
        redirect_uris=new.redirect_uris,
        post_logout_redirect_uris=new.post_logout_redirect_uris,
        backchannel_logout_uri=new.backchannel_logout_uri,
        token_endpoint_auth_method=auth_method,
        jwks=new.jwks,
        jwks_uri=new.jwks_uri,
        pkce=new.pkce,
        token_format=new.token_format,
        signing_alg=new.signing_alg,
        id_token_alg=new.id_token_alg,
        is_resource_server=new.is_resource_server,
        access_seconds=new.access_seconds,
        refresh_idle_seconds=new.refresh_idle_seconds,
        grant_seconds=new.grant_seconds,
        code_seconds=new.code_seconds,
        rotates_refresh_tokens=new.rotates_refresh_tokens,
        subject_type=new.subject_type,
        userinfo_alg=new.userinfo_alg,
        token_limit=new.token_limit,
        api_limit=new.api_limit,
        client_uri=new.client_uri,
        policy_uri=new.policy_uri,
        tos_uri=new.tos_uri,
        approved_at=now if new.is_approved else None,
        created_at=now,
        updated_at=now,
    )
    add_client(unit, client)
    if new.origin == MADE:
        add_member(unit, client_row_id=client.id, user_id=developer.id, role=ADMIN)
    add_audit_event(unit, "client.created", actor=actor, subject=client_id, type=new.type)
    return client


def create_client_once(
    unit: Unit, new: NewClient, *, client_id: str, row_id: UUID, actor: str, scopes: ScopeCatalogue
) -> Client | None:
    """The same; None where there is one of this id already, deleted or not."""
    try:
        with unit.session.begin_nested():
            return create_client(unit, new, client_id=client_id, row_id=row_id, actor=actor, scopes=scopes)
    except IntegrityError:
        return None


def judge_client(new: NewClient, grant_types: list[str], auth_method: str | None, scopes: ScopeCatalogue) -> None:
    """Raises DomainError for the first thing about the client that cannot be."""
    if not new.name.strip() or len(new.name) > 200:
        raise refused("name", "must have 1 to 200 characters")
    if new.type not in CLIENT_TYPES:
        raise refused("type", f"must be one of {', '.join(CLIENT_TYPES)}")
    if auth_method is not None and auth_method not in AUTH_METHODS:
        raise refused("auth_method", f"must be one of {', '.join(AUTH_METHODS)}")
    _judge_grants(grant_types, auth_method)
    _judge_keys(new, auth_method)
    if unknown := scopes.unknown(split_scope(new.scope)):
        raise refused("scope", f"there is no scope {unknown[0]}")
    for field_name in ("redirect_uri", "post_logout_redirect_uri"):
        for uri in getattr(new, f"{field_name}s"):
            judge_redirect_uri(uri, new.type, field_name)
    if "authorization_code" in grant_types and not new.redirect_uris:
        raise DomainError(
            "invalid_redirect_uri", 400, "redirect_uri: at least one is needed for people to come back to"
        )
    for name in ("backchannel_logout_uri", "client_uri", "policy_uri", "tos_uri"):
        if (uri := getattr(new, name)) is not None:
            judge_web_uri(uri, name)
    _judge_choices(new, auth_method)


def judge_redirect_uri(uri: str, client_type: str, field_name: str = "redirect_uri") -> None:
    """Raises `invalid_redirect_uri` for one that could leak a code (RFC 9700, 2.1 and 4.1; RFC 8252, 7)."""
    parts = _split(uri, field_name)
    if parts.scheme in {"https", "http"}:
        judge_web_uri(uri, field_name)
    elif client_type != "native" or not _PRIVATE_SCHEME.fullmatch(parts.scheme):
        raise RefusedUri(uri, "scheme", field_name)


def add_secret(unit: Unit, client: Client, entropy: Entropy) -> str:
    """A new secret beside those that live; the text is shown now and never again."""
    secret = make_secret(SECRET_PREFIX, entropy)
    add_client_secret(unit, client, digest_of(secret), secret[-4:])
    return secret


def suspend_client(unit: Unit, client: Client, *, actor: str, reason: str | None = None) -> None:
    """No grant and no token from now on, and what lives dies at once."""
    client.suspended_at = client.suspended_at or unit.now()
    save_client(unit, client)
    add_revocation(unit, NoticeKind.CLIENT_SUSPENDED, client.client_id, unit.now() + LONGEST_TOKEN)
    revoke_client_grants(unit, client.id)
    announce_keys_of(unit, client.id)
    _record(unit, "client.suspended", client, actor, reason)


def resume_client(unit: Unit, client: Client, *, actor: str, reason: str | None = None) -> None:
    """New tokens again; what died stays dead."""
    client.suspended_at = None
    save_client(unit, client)
    for kind in (NoticeKind.CLIENT, NoticeKind.CLIENT_RESUMED):
        add_revocation(unit, kind, client.client_id, unit.now() + LONGEST_TOKEN)
    announce_keys_of(unit, client.id)
    _record(unit, "client.resumed", client, actor, reason)


def approve_client(unit: Unit, client: Client, *, actor: str, reason: str | None = None) -> None:
    """The cap on stores falls, and consent pages say so."""
    client.approved_at = client.approved_at or unit.now()
    save_client(unit, client)
    settle_open_requests(unit, client.id, kind=APP, status=APPROVED, decided_by=actor)
    _record(unit, "client.approved", client, actor, reason)


def _record(unit: Unit, event: str, client: Client, actor: str, reason: str | None) -> None:
    details = {"reason": reason} if reason else {}
    add_audit_event(unit, event, actor=actor, subject=client.client_id, **details)


def status_of(client: Client) -> str:
    """`suspended`, `approved` or `not_approved`."""
    if client.suspended_at is not None:
        return "suspended"
    return "approved" if client.approved_at is not None else "not_approved"


def new_client_id(entropy: Entropy) -> str:
    """128 random bits as letters, digits, `-` and `_`; never a `-` in front, which a shell takes for an option."""
    return "app_" + urlsafe_b64encode(entropy.token_bytes(16)).rstrip(b"=").decode("ascii")


def refused(field_name: str, fault: str) -> DomainError:
    return DomainError("invalid_client_metadata", 400, f"{field_name}: {fault}")


def has_secret_method(auth_method: str | None) -> bool:
    """Whether a client that authenticates this way has a secret."""
    return auth_method is None or auth_method in SECRET_METHODS


def _judge_grants(grant_types: list[str], auth_method: str | None) -> None:
    for grant_type in grant_types:
        if grant_type not in ALL_GRANTS:
            raise refused("grant", f"must be one of {', '.join(ALL_GRANTS)}")
    if not grant_types:
        raise refused("grant", "at least one is needed")
    if auth_method == "none" and "client_credentials" in grant_types:
        # RFC 6749, 4.4
        raise refused("grant", "client_credentials is for clients that authenticate")


def _judge_keys(new: NewClient, auth_method: str | None) -> None:
    if new.jwks is not None and new.jwks_uri is not None:
        # RFC 7591, 2
        raise refused("jwks_uri", "and jwks cannot both be given")
    if new.jwks_uri is not None:
        judge_web_uri(new.jwks_uri, "jwks_uri")
    if new.jwks is not None:
        _judge_key_set(new.jwks)
    if auth_method == "private_key_jwt" and new.jwks_uri is None and not read_public_keys(new.jwks):
        raise refused("jwks", f"(or jwks_uri) with a key for one of {', '.join(PUBLIC_KEY_ALGORITHMS)} is needed")


def _judge_key_set(jwks: dict[str, Any]) -> None:
    entries = jwks.get("keys")
    if isinstance(entries, list) and any(isinstance(entry, dict) and entry.get("kty") == "oct" for entry in entries):
        raise refused("jwks", "must hold public keys only")
    try:
        keys = KeySet.import_key_set(jwks).keys  # type: ignore[arg-type]
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        raise refused("jwks", "is not a JWK Set (RFC 7517)") from None
    if not keys:
        raise refused("jwks", "holds no key")
    if any(key.is_private for key in keys):
        raise refused("jwks", "must hold public keys only")


def _judge_choices(new: NewClient, auth_method: str | None) -> None:
    if new.token_format not in {"jwt", "opaque"}:
        raise refused("token_format", "must be jwt or opaque")
    for name, algorithm in (("signing_alg", new.signing_alg), ("id_token_alg", new.id_token_alg)):
        if algorithm not in ALGORITHMS:
            raise refused(name, f"must be one of {', '.join(ALGORITHMS)}")
    if new.userinfo_alg is not None and new.userinfo_alg not in ALGORITHMS:
        raise refused("userinfo_alg", f"must be one of {', '.join(ALGORITHMS)}")
    if new.subject_type not in {"public", "pairwise"}:
        raise refused("subject_type", "must be public or pairwise")
    if new.subject_type == "pairwise" and len({sector_of(uri) for uri in new.redirect_uris}) > 1:
        # OIDC Core 8.1: without a sector document, one host is the sector.
        raise refused("redirect_uri", "of a client with pairwise subjects must all have the same host")
    if new.pkce not in {"required", "optional"}:
        raise refused("pkce", "must be required or optional")
    if auth_method == "none" and new.pkce == "optional":
        raise refused("pkce", "is required for public clients (RFC 9700, 2.1.1)")
    if auth_method == "none" and not new.rotates_refresh_tokens:
        raise refused("refresh_rotation", "off is for confidential clients only (RFC 9700, 4.14.2)")
    _judge_lifetimes(new)
    _judge_limits(new)


def _judge_lifetimes(new: NewClient) -> None:
    longest = int(LONGEST_TOKEN.total_seconds())
    lives = (
        ("access_ttl", new.access_seconds, longest),
        ("refresh_ttl", new.refresh_idle_seconds, None),
        ("grant_ttl", new.grant_seconds, None),
        ("code_ttl", new.code_seconds, 600),
    )
    for name, seconds, most in lives:
        if seconds is not None and (seconds < 1 or (most is not None and seconds > most)):
            raise refused(name, f"must be 1 to {most} seconds" if most else "must be at least 1 second")


def _judge_limits(new: NewClient) -> None:
    for name, limit in (("token_limit", new.token_limit), ("api_limit", new.api_limit)):
        try:
            read_rate(limit or OFF)
        except ValueError:
            raise refused(name, "must be a rate such as 600/minute, or off") from None
        if limit is not None and len(limit) > 40:
            raise refused(name, "must have at most 40 characters")


def judge_web_uri(uri: str, field_name: str) -> None:
    """Raises RefusedUri for one that is no https URL; plain http may lead to this machine."""
    parts = _split(uri, field_name)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise RefusedUri(uri, "absolute", field_name)
    if parts.scheme == "http" and not is_loopback_host(parts.hostname):
        raise RefusedUri(uri, "plain", field_name)


def _split(uri: str, field_name: str) -> SplitResult:
    """The parts of a URI that will be compared exactly and written into headers, whatever its scheme."""
    if len(uri) > _LONGEST_URI:
        raise RefusedUri(uri, "length", field_name)
    # RFC 3986, 2; urlsplit drops line breaks without a word.
    if not uri.isascii() or not uri.isprintable() or any(char in ' <>"\\^`{|}' for char in uri):
        raise RefusedUri(uri, "characters", field_name)
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        raise RefusedUri(uri, "host", field_name) from None
    if "#" in uri or parts.username is not None or parts.password is not None:
        raise RefusedUri(uri, "fragment", field_name)
    if "*" in uri or "/../" in f"{parts.path}/":
        raise RefusedUri(uri, "wildcard", field_name)
    return parts
