"""Token introspection (RFC 7662): a client sees its own tokens, a resource server sees all."""

from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc7662 import IntrospectionEndpoint

from authsrv.oauth.clients import RegisteredClient
from authsrv.oauth.requests import ProtocolRequest
from authsrv.oauth.tokens import AccessToken


class Introspection(IntrospectionEndpoint):  # type: ignore[misc]  # Authlib carries no types
    """Authlib's endpoint over tokens that have no row."""

    CLIENT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")

    def check_params(self, request: ProtocolRequest, client: RegisteredClient) -> None:
        # RFC 7662, 2.1: an unknown hint is ignored; what is missing is not.
        if "token" not in request.form:
            raise InvalidRequestError("Parameter token is missing.")

    def query_token(self, token_string: str, token_type_hint: str | None) -> AccessToken | None:
        return self.server.tokens.find(token_string)  # type: ignore[no-any-return]  # Authlib carries no types

    def check_permission(self, token: AccessToken, client: RegisteredClient, request: ProtocolRequest) -> bool:
        return client.is_resource_server or token.client_id == client.client_id

    def create_introspection_payload(self, token: AccessToken | None) -> dict[str, Any]:
        if token is None:
            return {"active": False}
        payload = {
            "active": True,
            "scope": token.scope,
            "client_id": token.client_id,
            "token_type": "Bearer",
            "exp": token.expires_at,
            "iat": token.issued_at,
            "sub": token.subject,
            "aud": token.audience[0] if len(token.audience) == 1 else list(token.audience),
            "iss": self.server.issuer,
            "jti": str(token.jti),
            "store": token.store,
            "grant_id": token.grant_id,
            "auth_time": token.auth_time,
        }
        return {name: value for name, value in payload.items() if value is not None}
