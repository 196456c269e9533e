"""Token revocation (RFC 7009): by the client the token was issued to, effective with the answer."""

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError
from authlib.oauth2.rfc7009 import RevocationEndpoint

from authsrv.kit.handles import Handle
from authsrv.oauth.clients import RegisteredClient
from authsrv.oauth.keyring import LONGEST_TOKEN
from authsrv.oauth.requests import ProtocolRequest
from authsrv.oauth.tokens import AccessToken
from authsrv.storage.ending import end_clients_grant
from authsrv.storage.grants import find_grants_client


class Revocation(RevocationEndpoint):  # type: ignore[misc]  # Authlib carries no types
    """Authlib's endpoint over the feed."""

    # RFC 7009, 2.1: public clients revoke their tokens too, by naming themselves.
    CLIENT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")

    def check_params(self, request: ProtocolRequest, client: RegisteredClient) -> None:
        # RFC 7009, 2.1: an unknown hint is ignored; what is missing is not.
        if "token" not in request.form:
            raise InvalidRequestError("Parameter token is missing.")

    def authenticate_token(self, request: ProtocolRequest, client: RegisteredClient) -> AccessToken | Handle | None:
        self.check_params(request, client)
        text = request.form["token"]
        token = self.server.find_access_token(request.unit, text)
        if token is None:
            # Whose grant it names, and whether that lives, is judged by the write itself.
            return self.server.issuing.read_refresh_token(text)  # type: ignore[no-any-return]
        if token.client_id != client.client_id:
            raise _of_another_client()
        return token  # type: ignore[no-any-return]  # Authlib carries no types

    def revoke_token(self, token: AccessToken | Handle, request: ProtocolRequest) -> None:
        unit, client = request.unit, request.client
        if isinstance(token, AccessToken):
            self.server.tokens.revoke(unit, token)
            return
        # RFC 7009, 2.1: with a refresh token go all access tokens of the same grant.
        ends_at = unit.now() + LONGEST_TOKEN
        has_ended = end_clients_grant(unit, token.row_id, client.row_id, actor=client.client_id, tokens_end_at=ends_at)
        if not has_ended and find_grants_client(unit, token.row_id) not in {None, client.row_id}:
            raise _of_another_client()


def _of_another_client() -> InvalidGrantError:
    """RFC 7009, 2.1: refused, and the client is told."""
    return InvalidGrantError("The token was issued to another client.")
