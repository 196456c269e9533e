"""Authorization code for tokens, once (RFC 6749, 4.1.3; RFC 7636, 4.6; RFC 9700, 2.1.1 and 4.5).

Judged from what the request says, then taken by one conditional UPDATE. Only when that met no row is the row read, to
tell a code that was used before by its own client, which ends the grant, from one that never was this client's.
"""

import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, UnauthorizedClientError
from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin

from authsrv.oauth.keyring import LONGEST_TOKEN
from authsrv.storage.audit import add_audit_event
from authsrv.storage.grants import revoke_grant
from authsrv.storage.refreshing import find_grant, take_code

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


class AuthorizationCode(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]  # Authlib carries no types
    """The token endpoint's half of the flow; the other half is `oauth/authorization.py`."""

    GRANT_TYPE = "authorization_code"
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")

    def validate_token_request(self) -> None:
        """Judges everything that can be judged without the row."""
        self.authenticate_token_endpoint_client()
        form = self.request.form
        if not self.client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError("The client may not use this grant.")
        if "code" not in form:
            raise InvalidRequestError("Parameter code is missing.")
        verifier = form.get("code_verifier")
        if verifier is not None and not _VERIFIER.fullmatch(verifier):
            raise InvalidRequestError("Parameter code_verifier is malformed.")
        if verifier is None and self.client.requires_pkce and self.request.terms.needs_pkce:
            raise InvalidRequestError("Parameter code_verifier is missing.")
        self.code_challenge = challenge_of(verifier) if verifier else None
        self.asked_audience = self.server.audience_of(self.request)

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Takes the code and answers with tokens. Raises InvalidGrantError."""
        form, unit = self.request.form, self.request.unit
        handle = self.server.issuing.read_code(form["code"])
        if handle is None:
            raise refused_code()
        sent_uri = form.get("redirect_uri")
        grant = take_code(
            unit,
            handle.row_id,
            self.client.row_id,
            code_challenge=self.code_challenge,
            redirect_uri=sent_uri,
            is_only_uri=sent_uri is None or self.client.redirect_uris == (sent_uri,),
            store_id=self.request.terms.store_id,
            is_final=not self.asked_audience,
        )
        if grant is None:
            raise self._explain(handle.row_id)
        body = self.server.issuing.answer(
            self.client,
            grant,
            grant.scope.split(),
            self.server.narrow_audience(grant.audience, self.asked_audience),
            nonce=grant.nonce,
            with_refresh_token=grant.is_refreshable,
            terms=self.request.terms,
        )
        return 200, body, self.TOKEN_RESPONSE_HEADER

    def _explain(self, grant_id: Any) -> InvalidGrantError:
        """Why the code could not be taken; a second use by its own client ends the grant (RFC 6749, 4.1.2)."""
        unit = self.request.unit
        grant = find_grant(unit, grant_id, self.client.row_id)
        if grant is None or grant.redeemed_at is None or grant.revoked_at is not None:
            return refused_code()
        if self.client.is_public and grant.code_challenge != self.code_challenge:
            # Anyone can name a public client; only the verifier tells that this is the one the code was made for.
            return refused_code()
        if revoke_grant(unit, grant_id, unit.now() + LONGEST_TOKEN):
            add_audit_event(unit, "grant.code_replayed", actor=self.client.client_id, subject=str(grant_id))
        refusal = refused_code()
        refusal.keeps_writes = True
        return refusal


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636, 4.2)."""
    return urlsafe_b64encode(sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")


def refused_code() -> InvalidGrantError:
    """One text for every reason: it must not tell a thief what is wrong with the loot."""
    return InvalidGrantError("The authorization code is invalid, has expired, or was already used.")
