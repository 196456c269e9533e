"""Token revocation (RFC 7009): by the client the token was issued to, effective with the answer."""

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError
from authlib.oauth2.rfc7009 import RevocationEndpoint

from authsrv.oauth.clients import RegisteredClient
from authsrv.oauth.keyring import LONGEST_TOKEN
from authsrv.oauth.presented import PresentedRefreshToken
from authsrv.oauth.requests import ProtocolRequest
from authsrv.oauth.tokens import AccessToken
from authsrv.storage.audit import add_audit_event
from authsrv.storage.grants import is_grant, revoke_grant


class Revocation(RevocationEndpoint):  # type: ignore[misc]  # Authlib carries no types
    """Authlib's endpoint over the feed."""

    # RFC 7009, 2.1: public clients revoke their tokens too, by naming themselves.
    CLIENT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")

    def check_params(self, request: ProtocolRequest, client: RegisteredClient) -> None:
        # RFC 7009, 2.1: an unknown hint is ignored; what is missing is not.
        if "token" not in request.form:
            raise InvalidRequestError("Parameter token is missing.")

    def authenticate_token(
        self, request: ProtocolRequest, client: RegisteredClient
    ) -> AccessToken | PresentedRefreshToken | None:
        self.check_params(request, client)
        text = request.form["token"]
        token = self.server.find_access_token(request.unit, text)
        if token is None:
            return self._find_refresh_token(request, client, text)
        if token.client_id != client.client_id:
            # RFC 7009, 2.1: refused, and the client is told.
            raise InvalidGrantError("The token was issued to another client.")
        return token  # type: ignore[no-any-return]  # Authlib carries no types

    def _find_refresh_token(
        self, request: ProtocolRequest, client: RegisteredClient, text: str
    ) -> PresentedRefreshToken | None:
        found = self.server.find_refresh_token(request.unit, client, text)
        handle = self.server.issuing.read_refresh_token(text) if found is None else None
        if handle is not None and is_grant(request.unit, handle.row_id):
            raise InvalidGrantError("The token was issued to another client.")
        return found  # type: ignore[no-any-return]  # Authlib carries no types

    def revoke_token(self, token: AccessToken | PresentedRefreshToken, request: ProtocolRequest) -> None:
        unit = request.unit
        if isinstance(token, AccessToken):
            self.server.tokens.revoke(unit, token)
        elif revoke_grant(unit, token.grant.id, unit.now() + LONGEST_TOKEN):
            # RFC 7009, 2.1: with a refresh token go all access tokens of the same grant.
            add_audit_event(unit, "grant.revoked", actor=request.client.client_id, subject=str(token.grant.id))
