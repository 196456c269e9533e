"""Client credentials: a service gets a token for itself (RFC 6749, 4.4)."""

from typing import Any

from authlib.oauth2.rfc6749 import InvalidScopeError
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant

from authsrv.oauth.scopes import split_scope


class ClientCredentials(ClientCredentialsGrant):  # type: ignore[misc]  # Authlib carries no types
    """Authlib's grant with our scopes, audiences and tokens."""

    # RFC 6749, 4.4: confidential clients only.
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt")

    def validate_requested_scope(self) -> None:
        """Raises InvalidScopeError for a scope the client does not have, or one that only a person can give."""
        has = self.server.scopes.for_services(self.request.client.scopes)
        asked = split_scope(self.request.payload.scope)
        if not set(asked) <= set(has):
            raise InvalidScopeError("The client does not have a scope it asks for.")
        self.granted = asked or has
        self.audience = self.server.audience_of(self.request) or (self.server.issuer,)

    def generate_token(self, **_: object) -> dict[str, Any]:
        text, token = self.server.tokens.issue(self.request.client, self.granted, self.audience)
        return {
            "access_token": text,
            "token_type": "Bearer",
            "expires_in": token.expires_at - token.issued_at,
            "scope": token.scope,
        }
