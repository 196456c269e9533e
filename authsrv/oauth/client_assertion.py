"""Client authentication by a signed assertion, `private_key_jwt` (RFC 7523, 2.2 and 3; OIDC Core 9).

The audience is the issuer or the token endpoint, as one string: an assertion made for several servers could be used at
any of them by any other of them (draft-ietf-oauth-rfc7523bis).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson
import structlog
from authlib.oauth2.rfc7523.client import ASSERTION_TYPE
from joserfc import jws
from joserfc.errors import JoseError

from authsrv.kit.clock import Clock
from authsrv.kit.public_keys import verify_with
from authsrv.oauth.client_keys import ClientKeys
from authsrv.oauth.clients import RegisteredClient
from authsrv.storage.assertions import take_assertion
from authsrv.storage.unit import Unit

log = structlog.get_logger(__name__)

METHOD = "private_key_jwt"
_LONGEST = 8192
_LEEWAY_SECONDS = 30
# Authlib makes its own for an hour; until then each is remembered, so none works twice.
_MOST_AHEAD_SECONDS = 3600
# Remembered for longer than it is good for, whatever the clocks of other processes say.
_MARGIN = timedelta(minutes=5)
# Other kinds of token that a client may sign with the same key must not pass for an assertion (RFC 8725, 3.11).
_TYPES = frozenset({"", "jwt", "client-authentication+jwt"})


@dataclass(frozen=True, slots=True)
class PresentedAssertion:
    """What an assertion says before anybody has checked it."""

    text: str
    client_id: str
    kid: str | None


class AssertionRefused(Exception):
    """The assertion proves nothing; the text is for the log."""


def read_assertion(form: Mapping[str, str]) -> PresentedAssertion | None:
    """The assertion in a form, unverified; None where there is none that could be read."""
    text = form.get("client_assertion", "")
    if form.get("client_assertion_type") != ASSERTION_TYPE or not text or len(text) > _LONGEST:
        return None
    try:
        token = jws.extract_compact(text.encode("ascii"))
        header, claims = token.headers(), orjson.loads(token.payload)
    except (JoseError, ValueError, TypeError):
        return None
    client_id = claims.get("sub") if isinstance(claims, dict) else None
    kid = header.get("kid")
    if not isinstance(client_id, str) or str(header.get("typ", "")).lower().removeprefix("application/") not in _TYPES:
        return None
    return PresentedAssertion(text, client_id, kid if isinstance(kid, str) else None)


class ClientAssertions:
    """Judges assertions, and uses each up."""

    def __init__(self, *, issuer: str, token_endpoint: str, keys: ClientKeys, clock: Clock) -> None:
        self._audiences = frozenset({issuer, token_endpoint})
        self._clock = clock
        self.keys = keys

    def prove(self, unit: Unit, client: RegisteredClient, presented: PresentedAssertion) -> bool:
        """Whether the client signed this assertion for us, just now, and it was not used before. One INSERT."""
        try:
            claims = verify_with(presented.text, self.keys.find(client)) or {}
            expires_at = self._judge(claims, client.client_id)
            self._use_up(unit, client.client_id, claims["jti"], expires_at)
        except AssertionRefused as refused:
            log.info("client assertion refused", client_id=client.client_id, reason=str(refused))
            return False
        return True

    def is_signed(self, client: RegisteredClient, presented: PresentedAssertion) -> bool:
        """Whether the client signed it for us, used or not, as far as its keys are at hand."""
        try:
            self._judge(verify_with(presented.text, self.keys.find(client)) or {}, client.client_id)
        except AssertionRefused:
            return False
        return True

    def _judge(self, claims: Mapping[str, Any], client_id: str) -> datetime:
        """When the assertion expires. Raises AssertionRefused (RFC 7523, 3)."""
        if not claims:
            raise AssertionRefused("none of the client's keys made the signature")
        if claims.get("iss") != client_id or claims.get("sub") != client_id:
            raise AssertionRefused("iss and sub are not both the client_id")
        audience = claims.get("aud")
        if not isinstance(audience, str) or audience not in self._audiences:
            raise AssertionRefused("aud is not the issuer or the token endpoint, as one string")
        jti = claims.get("jti")
        if not isinstance(jti, str) or not jti:
            raise AssertionRefused("jti is missing")
        now = self._clock.now().timestamp()
        exp = _moment(claims, "exp")
        if exp is None:
            raise AssertionRefused("exp is missing")
        if exp <= now - _LEEWAY_SECONDS:
            raise AssertionRefused("it has expired")
        if exp > now + _MOST_AHEAD_SECONDS + _LEEWAY_SECONDS:
            raise AssertionRefused("exp is too far ahead")
        for name in ("nbf", "iat"):
            moment = _moment(claims, name)
            if moment is not None and moment > now + _LEEWAY_SECONDS:
                raise AssertionRefused(f"{name} lies ahead")
        return datetime.fromtimestamp(exp, UTC)

    def _use_up(self, unit: Unit, client_id: str, jti: str, expires_at: datetime) -> None:
        if not take_assertion(unit, client_id, sha256(jti.encode()).hexdigest(), expires_at + _MARGIN):
            raise AssertionRefused("jti was used before")
        # Whatever comes of the request, the assertion is spent.
        unit.commit()


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    """A NumericDate (RFC 7519, 2). Raises AssertionRefused for what is none."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise AssertionRefused(f"{name} is not a time")
    return float(value)
