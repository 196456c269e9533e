"""What a grant turns into at the token endpoint: access, refresh and ID token in one answer (RFC 6749, 5.1)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from authsrv.identity.subjects import session_name_for, subject_for
from authsrv.kit.handles import Handle, HandleSealer, Purpose
from authsrv.oauth.clients import RegisteredClient
from authsrv.oauth.id_tokens import IdTokens, Person, SignIn, claims_about
from authsrv.oauth.manners import STANDARD_TERMS, Terms
from authsrv.oauth.tokens import AccessTokens, Behalf
from authsrv.storage.refreshing import LiveGrant

AUTHORIZATION_CODE = Purpose(1, "ac_")
REFRESH_TOKEN = Purpose(2, "rt_")


class Issuing:
    """Words a living grant as tokens. Neither codes nor refresh tokens are stored: both are functions of the row."""

    def __init__(self, *, tokens: AccessTokens, id_tokens: IdTokens, sealer: HandleSealer) -> None:
        self.tokens = tokens
        self.id_tokens = id_tokens
        self._sealer = sealer

    def code_of(self, grant_id: UUID) -> str:
        """The grant's one authorization code."""
        return self._sealer.seal(AUTHORIZATION_CODE, Handle(grant_id, 0))

    def refresh_token_of(self, grant_id: UUID, generation: int) -> str:
        """The grant's refresh token of this generation; asked again, the same text again."""
        return self._sealer.seal(REFRESH_TOKEN, Handle(grant_id, generation))

    def read_code(self, text: str) -> Handle | None:
        return self._sealer.open(AUTHORIZATION_CODE, text)

    def read_refresh_token(self, text: str) -> Handle | None:
        return self._sealer.open(REFRESH_TOKEN, text)

    def answer(
        self,
        client: RegisteredClient,
        grant: LiveGrant,
        scopes: Sequence[str],
        audience: tuple[str, ...],
        *,
        nonce: str | None,
        with_refresh_token: bool,
        terms: Terms = STANDARD_TERMS,
    ) -> dict[str, Any]:
        """The body of a token response; an ID token is in it when `openid` was granted."""
        subject = subject_for(grant.user_id, grant.subject_salt, client.sector)
        behalf = Behalf(
            user_id=str(grant.user_id),
            subject=subject,
            grant_id=str(grant.id),
            store=grant.store,
            auth_time=int(grant.auth_time.timestamp()),
            ends_at=int(grant.expires_at.timestamp()),
        )
        text, token = self.tokens.issue(client, scopes, audience, behalf, lives_seconds=terms.access_seconds)
        body: dict[str, Any] = {
            "access_token": text,
            "token_type": "Bearer",
            "expires_in": token.expires_at - token.issued_at,
            "scope": token.scope,
        }
        if terms.expiry_field:
            body[terms.expiry_field] = token.expires_at
        if with_refresh_token:
            body["refresh_token"] = self.refresh_token_of(grant.id, grant.generation)
        if "openid" in scopes and terms.with_id_token:
            sign_in = SignIn(grant.auth_time, grant.amr, _session_name(client, grant), nonce)
            about = claims_about(person_of(grant), scopes)
            body["id_token"] = self.id_tokens.issue(client, subject, about, sign_in, text)
        return body


def _session_name(client: RegisteredClient, grant: LiveGrant) -> str | None:
    if grant.session_id is None:
        return None
    return session_name_for(grant.session_id, grant.subject_salt, client.session_sector)


def person_of(grant: LiveGrant) -> Person:
    """The person behind a grant."""
    return Person(grant.user_id, grant.email, grant.name, grant.email_verified_at, grant.subject_salt)
