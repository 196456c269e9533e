"""Client credentials: a service gets a token for itself (RFC 6749, 4.4)."""

from typing import Any

from authlib.oauth2.rfc6749 import InvalidScopeError, UnauthorizedClientError
from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin

from authsrv.oauth.scopes import split_scope


class ClientCredentials(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]  # Authlib carries no types
    """Nothing is stored: a service asks again when its token ends."""

    GRANT_TYPE = "client_credentials"
    # RFC 6749, 4.4: confidential clients only.
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt")

    def validate_token_request(self) -> None:
        """Raises InvalidScopeError for a scope the client does not have, or one that only a person can give."""
        self.authenticate_token_endpoint_client()
        if not self.client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError("The client may not use this grant.")
        has = self.server.scopes.for_services(self.client.scopes)
        asked = split_scope(self.request.payload.scope)
        if not set(asked) <= set(has):
            raise InvalidScopeError("The client does not have a scope it asks for.")
        self.granted = asked or has
        self.audience = self.server.audience_of(self.request) or (self.server.issuer,)

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Answers with an access token."""
        text, token = self.server.tokens.issue(self.client, self.granted, self.audience)
        body = {
            "access_token": text,
            "token_type": "Bearer",
            "expires_in": token.expires_at - token.issued_at,
            "scope": token.scope,
        }
        return 200, body, self.TOKEN_RESPONSE_HEADER
