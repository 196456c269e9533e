"""Access tokens without a row: JWTs (RFC 9068) or sealed handles, signed, read, and judged against the feed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from typing import Annotated, Any, cast
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from authsrv.identity.principals import LookUp, Principal
from authsrv.identity.revocations import RevocationList
from authsrv.identity.subjects import open_person, seal_person
from authsrv.kit.clock import Clock
from authsrv.kit.handles import Handle, HandleSealer, Purpose
from authsrv.kit.identifiers import Identifiers, is_uuid7, parse_uuid
from authsrv.kit.signing import Algorithm, read_header, verify
from authsrv.kit.vault import Vault
from authsrv.oauth.bare_tokens import BARE_JWT, BARE_TYPE, read_bare, spell_bare
from authsrv.oauth.clients import ClientDirectory, RegisteredClient
from authsrv.oauth.keyring import Keyring
from authsrv.storage.revocations import add_revocation
from authsrv.storage.unit import NoticeKind, Unit

OPAQUE_ACCESS = Purpose(3, "at_")
JWT_TYPE = "at+jwt"
# The year 5138: a time beyond it is none, and dates could not hold it.
_Seconds = Annotated[int, Field(ge=0, lt=100_000_000_000)]
# Signatures already checked: a token is used many times, its signature does not change.
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What an access token says, whatever its format; times are whole seconds since the epoch (RFC 7519, 2)."""

    jti: UUID
    client_id: str
    subject: str
    scope: str
    audience: tuple[str, ...]
    issued_at: int
    expires_at: int
    store: str | None = None
    grant_id: str | None = None
    auth_time: int | None = None
    # The person behind it; None where the client acts for itself.
    user_id: str | None = None
    # Whether it says neither person nor store: its client has them (`complete`).
    is_bare: bool = False


@dataclass(frozen=True, slots=True)
class Behalf:
    """For whom a client acts: the person, their name for the client, the grant with its end, the store, the sign-in."""

    user_id: str
    subject: str
    grant_id: str
    store: str | None
    auth_time: int
    ends_at: int


class _NoToken(Exception):
    """The text is no access token of ours."""


class _Claims(BaseModel):
    """What the claims of a JWT must be to make an access token (RFC 9068, 2.2): a good signature is not enough."""

    model_config = ConfigDict(strict=True, extra="ignore")

    iss: str
    sub: str
    aud: str | list[str]
    exp: _Seconds
    iat: _Seconds
    jti: str
    client_id: str
    scope: str
    store: str | None = None
    grant_id: str | None = None
    auth_time: _Seconds | None = None


class AccessTokens:
    """Makes and reads them; neither touches the database."""

    def __init__(
        self,
        *,
        issuer: str,
        keyring: Keyring,
        clients: ClientDirectory,
        sealer: HandleSealer,
        revocations: RevocationList,
        clock: Clock,
        identifiers: Identifiers,
        vault: Vault,
        access_seconds: int,
    ) -> None:
        self._issuer = issuer
        self._keyring = keyring
        self._clients = clients
        self._sealer = sealer
        self._revocations = revocations
        self._clock = clock
        self._identifiers = identifiers
        self._vault = vault
        self._access_seconds = access_seconds
        self._read = lru_cache(maxsize=_REMEMBERED)(self._read_good)

    @property
    def issuer(self) -> str:
        """Who makes them: their audience where none is asked for."""
        return self._issuer

    def issue(
        self,
        client: RegisteredClient,
        scopes: Sequence[str],
        audience: tuple[str, ...],
        behalf: Behalf | None = None,
        *,
        lives_seconds: int | None = None,
    ) -> tuple[str, AccessToken]:
        """A token with which the client acts for itself or its person, or on another's behalf; and what it says.

        `lives_seconds`: how long, where the client has no time of its own and it is not the server's.
        """
        now = self._clock.time_ns() // 1_000_000_000
        expires_at = now + (client.access_seconds or lives_seconds or self._access_seconds)
        token = AccessToken(
            jti=self._identifiers.next(),
            client_id=client.client_id,
            subject=behalf.subject if behalf else client.client_id,
            scope=" ".join(scopes),
            audience=audience,
            issued_at=now,
            # No token outlives its grant, whose row, by which it could be taken back, goes then.
            expires_at=min(expires_at, behalf.ends_at) if behalf else expires_at,
            store=behalf.store if behalf else client.store,
            grant_id=behalf.grant_id if behalf else None,
            auth_time=behalf.auth_time if behalf else None,
            user_id=behalf.user_id if behalf else client.acts_for,
        )
        if client.token_format == "opaque":
            return self._sealer.seal(OPAQUE_ACCESS, self._to_handle(token)), token
        ring_key = self._keyring.signing(cast("Algorithm", client.signing_alg))
        if client.token_format == BARE_JWT and behalf is None:
            return ring_key.signer.sign(self._bare_claims(token), BARE_TYPE), token
        return ring_key.signer.sign(self._claims(token), JWT_TYPE), token

    def find(self, text: str) -> AccessToken | None:
        """The token if it is ours, unexpired and not taken back. The caller has made sure that the feed is fresh."""
        token = self.recognise(text)
        if token is None or token.expires_at <= self._clock.time_ns() // 1_000_000_000:
            return None
        if self._revocations.has_ended(token.grant_id):
            return None
        hangs_on = ((NoticeKind.CLIENT, token.client_id), (NoticeKind.USER, token.user_id))
        return None if self._revocations.is_void(token.jti, hangs_on) else token

    def recognise(self, text: str) -> AccessToken | None:
        """The token if it was made here, however it stands now."""
        try:
            return self._read(text)
        except _NoToken:
            return None

    def complete(self, token: AccessToken, client: RegisteredClient | None) -> AccessToken | None:
        """A bare token with what its client knows; None when there is no such client, or its person's are void."""
        if not token.is_bare:
            return token
        if client is None or client.is_suspended:
            return None
        if self._revocations.is_void(token.jti, ((NoticeKind.USER, client.acts_for),)):
            return None
        return replace(token, user_id=client.acts_for, store=client.store)

    def find_principal(self, text: str) -> Principal | LookUp | None:
        """The token's bearer; a LookUp for a bare token of a client that this process does not know."""
        token = self.find(text)
        if token is None:
            return None
        client_id = token.client_id
        if not token.is_bare or self._clients.knows(client_id):
            return self._bearer(token, self._clients.recall(client_id))
        return LookUp(lambda unit: self._bearer(token, self._clients.find(unit, client_id)))

    def _bearer(self, found: AccessToken, client: RegisteredClient | None) -> Principal | None:
        token = self.complete(found, client)
        if token is None:
            return None
        return Principal(
            client_id=token.client_id,
            user_id=token.user_id,
            grant_id=token.grant_id,
            store=token.store,
            scopes=frozenset(token.scope.split()),
            audiences=frozenset(token.audience),
        )

    def revoke(self, unit: Unit, token: AccessToken) -> None:
        """Takes one token back: one line in the feed, kept until the token would have expired by itself."""
        lives = timedelta(seconds=token.expires_at - self._clock.time_ns() // 1_000_000_000 + 1)
        add_revocation(unit, NoticeKind.TOKEN, str(token.jti), unit.now() + lives)

    @property
    def remembered(self) -> int:
        """How many signatures count as checked."""
        return self._read.cache_info().currsize

    def forget(self) -> None:
        """The keys changed: no signature counts as checked any more."""
        self._read.cache_clear()

    def _claims(self, token: AccessToken) -> dict[str, Any]:
        claims = {
            "iss": self._issuer,
            "sub": token.subject,
            "aud": token.audience[0] if len(token.audience) == 1 else list(token.audience),
            "exp": token.expires_at,
            "iat": token.issued_at,
            "jti": str(token.jti),
            "client_id": token.client_id,
            "scope": token.scope,
            "store": token.store,
            "grant_id": token.grant_id,
            "auth_time": token.auth_time,
            # Only where `sub` is a pairwise name, which says nothing to us.
            "person": self._sealed_person(token),
        }
        return {name: value for name, value in claims.items() if value is not None}

    def _bare_claims(self, token: AccessToken) -> dict[str, Any]:
        return spell_bare(
            jti=token.jti,
            client_id=token.client_id,
            scope=token.scope,
            audience=() if token.audience == (self._issuer,) else token.audience,
            issued_at=token.issued_at,
            expires_at=token.expires_at,
        )

    def _sealed_person(self, token: AccessToken) -> str | None:
        if token.user_id is None or token.user_id == token.subject:
            return None
        return seal_person(self._vault, token.user_id)

    def _person(self, claims: dict[str, Any]) -> str | None:
        if isinstance(sealed := claims.get("person"), str):
            person = open_person(self._vault, sealed)
            if person is None:
                # Without its person it would pass for a service's, which reaches further.
                raise _NoToken
            return person
        return claims["sub"] if claims["sub"] != claims["client_id"] else None

    def _to_handle(self, token: AccessToken) -> Handle:
        """The handle's row id is the `jti`, its counter the expiry; the rest is attached, for all to read."""
        rest = [token.client_id, token.subject, token.scope, token.audience, token.issued_at]
        rest += [token.store, token.grant_id, token.auth_time, self._sealed_person(token)]
        return Handle(token.jti, token.expires_at, orjson.dumps(rest))

    def _from_handle(self, handle: Handle) -> AccessToken:
        client_id, subject, scope, audience, issued_at, store, grant_id, auth_time, person = orjson.loads(
            handle.attachment
        )
        return AccessToken(
            jti=handle.row_id,
            client_id=client_id,
            subject=subject,
            scope=scope,
            audience=tuple(audience),
            issued_at=issued_at,
            expires_at=handle.counter,
            store=store,
            grant_id=grant_id,
            auth_time=auth_time,
            user_id=self._person({"sub": subject, "client_id": client_id, "person": person}),
        )

    def _from_bare(self, claims: dict[str, Any]) -> AccessToken | None:
        said = read_bare(claims)
        if said is None:
            return None
        return AccessToken(
            jti=UUID(said.jti),
            client_id=said.sub,
            subject=said.sub,
            scope=" ".join(said.scopes),
            audience=said.audience or (self._issuer,),
            issued_at=said.iat,
            expires_at=said.exp,
            is_bare=True,
        )

    def _read_good(self, text: str) -> AccessToken:
        """Raises _NoToken, which is not remembered: a flood of made-up texts fills no memory and pushes nothing out."""
        if (token := self._read_anew(text)) is None:
            raise _NoToken
        return token

    def _read_anew(self, text: str) -> AccessToken | None:
        if text.startswith(OPAQUE_ACCESS.prefix):
            handle = self._sealer.open(OPAQUE_ACCESS, text)
            return self._from_handle(handle) if handle else None
        return self._read_jwt(text)

    def _read_jwt(self, text: str) -> AccessToken | None:
        header = read_header(text)
        # RFC 9068, 4: the type keeps an ID token from passing for an access token; of a bare one, the claims do.
        kind = str(header.get("typ", "")).lower().removeprefix("application/") if header else ""
        if header is None or kind not in {JWT_TYPE, BARE_TYPE.lower()}:
            return None
        ring_key = self._keyring.find(header.get("kid"))
        # RFC 8725, 3.1: the key says which algorithm, never the token.
        if ring_key is None or header.get("alg") != ring_key.algorithm:
            return None
        claims = verify(text, ring_key.key, ring_key.algorithm)
        if kind != JWT_TYPE:
            return self._from_bare(claims or {})
        if claims is None or not _makes_a_token(claims) or claims["iss"] != self._issuer:
            return None
        jti = parse_uuid(claims["jti"])
        if jti is None or not is_uuid7(jti):
            return None
        audience = claims["aud"]
        return AccessToken(
            jti=jti,
            client_id=claims["client_id"],
            subject=claims["sub"],
            scope=claims["scope"],
            audience=(audience,) if isinstance(audience, str) else tuple(audience),
            issued_at=claims["iat"],
            expires_at=claims["exp"],
            store=claims.get("store"),
            grant_id=claims.get("grant_id"),
            auth_time=claims.get("auth_time"),
            user_id=self._person(claims),
        )


def _makes_a_token(claims: dict[str, Any]) -> bool:
    try:
        _Claims.model_validate(claims)
    except ValidationError:
        return False
    return True
