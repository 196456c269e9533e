"""Token introspection (RFC 7662): a client sees its own tokens, a resource server sees all."""

from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc7662 import IntrospectionEndpoint

from authsrv.oauth.clients import RegisteredClient
from authsrv.oauth.presented import PresentedRefreshToken
from authsrv.oauth.requests import ProtocolRequest
from authsrv.oauth.tokens import AccessToken


class Introspection(IntrospectionEndpoint):  # type: ignore[misc]  # Authlib carries no types
    """Authlib's endpoint over tokens that have no row."""

    CLIENT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt")

    def check_params(self, request: ProtocolRequest, client: RegisteredClient) -> None:
        # RFC 7662, 2.1: an unknown hint is ignored; what is missing is not.
        if "token" not in request.form:
            raise InvalidRequestError("Parameter token is missing.")

    def authenticate_token(
        self, request: ProtocolRequest, client: RegisteredClient
    ) -> AccessToken | PresentedRefreshToken | None:
        self.check_params(request, client)
        text = request.form["token"]
        token = self.server.find_access_token(request.unit, text)
        if token is None:
            return self.server.find_refresh_token(request.unit, client, text)  # type: ignore[no-any-return]
        is_visible = client.is_resource_server or token.client_id == client.client_id
        return token if is_visible else None

    def create_introspection_payload(self, token: AccessToken | PresentedRefreshToken | None) -> dict[str, Any]:
        if token is None:
            return {"active": False}
        facts = self._about_access(token) if isinstance(token, AccessToken) else self._about_refresh(token)
        return {name: value for name, value in facts.items() if value is not None}

    def _about_access(self, token: AccessToken) -> dict[str, Any]:
        return {
            "active": True,
            "scope": token.scope,
            "client_id": token.client_id,
            "token_type": "Bearer",
            "exp": token.expires_at,
            "iat": token.issued_at,
            "sub": token.subject,
            "aud": token.audience[0] if len(token.audience) == 1 else list(token.audience),
            "iss": self.server.issuer,
            "jti": token.jti,
            "store": token.store,
            "grant_id": token.grant_id,
            "auth_time": token.auth_time,
        }

    def _about_refresh(self, token: PresentedRefreshToken) -> dict[str, Any]:
        if not token.is_live:
            return {"active": False}
        grant = token.grant
        return {
            "active": True,
            # No member of RFC 7662 tells it from an access token, which alone opens a resource.
            "token_use": "refresh_token",
            "scope": grant.scope,
            "client_id": token.client_id,
            "sub": token.subject,
            "exp": int(token.expires_at.timestamp()),
            "iss": self.server.issuer,
            "store": grant.store,
            "grant_id": str(grant.id),
            "auth_time": int(grant.auth_time.timestamp()),
        }
