"""ID tokens and the claims about a person (OpenID Connect Core 1.0, 2, 3.1.3.6 and 5)."""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256, sha512
from typing import Any, cast
from uuid import UUID

from authsrv.kit.clock import Clock
from authsrv.kit.signing import Algorithm, read_header, verify
from authsrv.oauth.clients import RegisteredClient
from authsrv.oauth.keyring import Keyring

LIFETIME_SECONDS = 3600
# The one level there is: the person proved to hold a mailbox, or knew a password (OIDC Core 2, acr).
ACR = "1"
_HASHES: Mapping[Algorithm, Callable[[bytes], Any]] = {"RS256": sha256, "ES256": sha256, "EdDSA": sha512}


@dataclass(frozen=True, slots=True)
class Person:
    """What may be said of a person."""

    user_id: UUID
    email: str
    name: str
    email_verified_at: datetime | None
    subject_salt: str | None


@dataclass(frozen=True, slots=True)
class SignIn:
    """When, how and in which session (as the client names it) the person signed in, and the nonce it wants back."""

    auth_time: datetime
    amr: str
    session_name: str | None
    nonce: str | None


# Which scope lets a claim out, and where its value comes from (OIDC Core 5.4).
_CLAIMS: dict[str, tuple[str, Callable[[Person], Any]]] = {
    "email": ("email", lambda person: person.email),
    "email_verified": ("email", lambda person: person.email_verified_at is not None),
    "name": ("profile", lambda person: person.name or None),
}
CLAIMS = ("sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", *_CLAIMS)


def claims_about(person: Person, scopes: Collection[str]) -> dict[str, Any]:
    """The claims that the granted scopes let out."""
    about = {name: value(person) for name, (scope, value) in _CLAIMS.items() if scope in scopes}
    return {name: value for name, value in about.items() if value is not None}


def scopes_for_claims(asked: Mapping[str, Any] | None) -> list[str]:
    """The scopes behind the claims that were asked for one by one (OIDC Core 5.5): consent is given to scopes."""
    names = {name for part in ("userinfo", "id_token") for name in ((asked or {}).get(part) or {})}
    return list(dict.fromkeys(_CLAIMS[name][0] for name in sorted(names & _CLAIMS.keys())))


class IdTokens:
    """Makes ID tokens, and reads those that come back as hints."""

    def __init__(self, *, issuer: str, keyring: Keyring, clock: Clock) -> None:
        self._issuer = issuer
        self._keyring = keyring
        self._clock = clock

    def issue(
        self, client: RegisteredClient, subject: str, about: Mapping[str, Any], sign_in: SignIn, access_token: str
    ) -> str:
        """An ID token for the client, signed with the algorithm it chose."""
        key = self._keyring.signing(cast("Algorithm", client.id_token_alg))
        now = self._clock.time_ns() // 1_000_000_000
        claims = {
            "iss": self._issuer,
            "sub": subject,
            "aud": client.client_id,
            "exp": now + LIFETIME_SECONDS,
            "iat": now,
            "auth_time": int(sign_in.auth_time.timestamp()),
            "nonce": sign_in.nonce,
            "at_hash": _half_hash(access_token, key.algorithm),
            "acr": ACR,
            "amr": sign_in.amr.split(),
            "sid": sign_in.session_name,
            **about,
        }
        present = {name: value for name, value in claims.items() if value is not None}
        return key.signer.sign(present, "JWT")

    def sign_claims(self, client: RegisteredClient, claims: Mapping[str, Any], algorithm: str, typ: str) -> str:
        """Other claims for the client as a JWT, such as a userinfo response (OIDC Core 5.3.2)."""
        key = self._keyring.signing(cast("Algorithm", algorithm))
        now = self._clock.time_ns() // 1_000_000_000
        return key.signer.sign({"iss": self._issuer, "aud": client.client_id, "iat": now, **claims}, typ)

    def read_hint(self, text: str) -> dict[str, Any] | None:
        """The claims of an ID token of ours, expired or not (OIDC RP-Initiated Logout 1.0, 2), else None."""
        header = read_header(text)
        key = self._keyring.find(header.get("kid")) if header and header.get("typ", "JWT") == "JWT" else None
        if header is None or key is None or header.get("alg") != key.algorithm:
            return None
        claims = verify(text, key.key, key.algorithm)
        # A signed userinfo response is a JWT of ours too, but has no end (RFC 8725, 3.11).
        if not claims or claims.get("iss") != self._issuer or "exp" not in claims:
            return None
        return claims if isinstance(claims.get("aud"), str) else None


def _half_hash(access_token: str, algorithm: Algorithm) -> str:
    """`at_hash`: the left half of the token's hash by the signature's own hash function (OIDC Core 3.1.3.6)."""
    digest = _HASHES[algorithm](access_token.encode("ascii")).digest()
    return urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode("ascii")
