"""Token revocation (RFC 7009): by the client the token was issued to, effective with the answer."""

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError
from authlib.oauth2.rfc7009 import RevocationEndpoint

from authsrv.oauth.clients import RegisteredClient
from authsrv.oauth.requests import ProtocolRequest
from authsrv.oauth.tokens import AccessToken


class Revocation(RevocationEndpoint):  # type: ignore[misc]  # Authlib carries no types
    """Authlib's endpoint over the feed."""

    # RFC 7009, 2.1: public clients revoke their tokens too, by naming themselves.
    CLIENT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")

    def check_params(self, request: ProtocolRequest, client: RegisteredClient) -> None:
        # RFC 7009, 2.1: an unknown hint is ignored; what is missing is not.
        if "token" not in request.form:
            raise InvalidRequestError("Parameter token is missing.")

    def authenticate_token(self, request: ProtocolRequest, client: RegisteredClient) -> AccessToken | None:
        self.check_params(request, client)
        token = self.server.tokens.find(request.form["token"])
        if token is not None and token.client_id != client.client_id:
            # RFC 7009, 2.1: refused, and the client is told.
            raise InvalidGrantError("The token was issued to another client.")
        return token  # type: ignore[no-any-return]  # Authlib carries no types

    def revoke_token(self, token: AccessToken, request: ProtocolRequest) -> None:
        self.server.tokens.revoke(request.unit, token)
