"""The engine: Authlib's server core with our clients, scopes, tokens and grants, run below the seam."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidRequestError

from authsrv.kit.clock import Clock
from authsrv.oauth.authorization import AuthorizationRules
from authsrv.oauth.client_assertion import ClientAssertions
from authsrv.oauth.client_authentication import authenticate
from authsrv.oauth.client_secrets import SecretUses
from authsrv.oauth.clients import ClientDirectory, RegisteredClient
from authsrv.oauth.grants import GRANTS
from authsrv.oauth.introspection import Introspection
from authsrv.oauth.issuing import Issuing
from authsrv.oauth.presented import PresentedRefreshToken, find_refresh_token
from authsrv.oauth.requests import ProtocolRequest
from authsrv.oauth.revocation import Revocation
from authsrv.oauth.scopes import ScopeCatalogue
from authsrv.oauth.tokens import AccessToken
from authsrv.settings import TokenSettings
from authsrv.storage.unit import Unit

# Status, JSON body, headers.
Answer: TypeAlias = tuple[int, Any, Sequence[tuple[str, str]]]


class InvalidTargetError(OAuth2Error):  # type: ignore[misc]  # Authlib carries no types
    """The `resource` asked for is none of ours (RFC 8707, 2)."""

    error = "invalid_target"


class UnsupportedGrantError(OAuth2Error):  # type: ignore[misc]  # Authlib carries no types
    """The grant type is none of ours (RFC 6749, 5.2); unlike Authlib's, it repeats nothing the caller sent."""

    error = "unsupported_grant_type"


class ProtocolServer(AuthorizationServer):  # type: ignore[misc]  # Authlib carries no types
    """Answers protocol requests with plain values; the doors make HTTP of them."""

    def __init__(
        self,
        *,
        issuer: str,
        scopes: ScopeCatalogue,
        clients: ClientDirectory,
        assertions: ClientAssertions,
        issuing: Issuing,
        lifetimes: TokenSettings,
        clock: Clock,
    ) -> None:
        super().__init__(scopes_supported=scopes.names)
        self.issuer = issuer
        self.scopes = scopes
        self.clients = clients
        self.assertions = assertions
        self.secret_uses = SecretUses(clock)
        self.issuing = issuing
        self.tokens = issuing.tokens
        self.lifetimes = lifetimes
        self._clock = clock
        self._resources = frozenset({issuer, *(issuer + path for path in scopes.resources)})
        self.rules = AuthorizationRules(scopes, self._resources)
        for grant in GRANTS:
            self.register_grant(grant)
        self.register_endpoint(Introspection)
        self.register_endpoint(Revocation)

    def answer_token_request(self, make_request: Callable[[], ProtocolRequest]) -> Answer:
        """The token endpoint (RFC 6749, 3.2)."""
        return self._answer(make_request, self.create_token_response)

    def answer_introspection(self, make_request: Callable[[], ProtocolRequest]) -> Answer:
        """The introspection endpoint (RFC 7662)."""
        return self._answer(make_request, lambda request: self.create_endpoint_response("introspection", request))

    def answer_revocation(self, make_request: Callable[[], ProtocolRequest]) -> Answer:
        """The revocation endpoint (RFC 7009)."""
        return self._answer(make_request, lambda request: self.create_endpoint_response("revocation", request))

    def audience_of(self, request: ProtocolRequest) -> tuple[str, ...]:
        """The audiences that are asked for, if any. Raises InvalidTargetError (RFC 8707, 2.2)."""
        asked = tuple(dict.fromkeys(request.resources))
        if not self._resources.issuperset(asked):
            raise InvalidTargetError("The requested resource is unknown.")
        return asked

    def narrow_audience(self, granted: Sequence[str] | None, asked: tuple[str, ...]) -> tuple[str, ...]:
        """A token's audiences: those asked for, within those granted. Raises InvalidTargetError (RFC 8707, 2.2)."""
        if granted and not set(asked) <= set(granted):
            raise InvalidTargetError("The requested resource was not asked for at authorization.")
        return asked or tuple(granted or (self.issuer,))

    def find_access_token(self, unit: Unit, text: str) -> AccessToken | None:
        """The living access token, whosever it is, with all that is known of it."""
        token = self.tokens.find(text)
        if token is None or not token.is_bare:
            return token
        return self.tokens.complete(token, self.clients.find(unit, token.client_id))

    def find_refresh_token(self, unit: Unit, client: RegisteredClient, text: str) -> PresentedRefreshToken | None:
        """A refresh token that this client may know of, live or not, for introspection."""
        return find_refresh_token(
            unit, client, text, issuing=self.issuing, clients=self.clients, lifetimes=self.lifetimes
        )

    @property
    def grant_types(self) -> list[str]:
        """The grants that are registered, for the metadata."""
        return [grant.GRANT_TYPE for grant, _ in self._token_grants]

    # What follows is what Authlib asks its host for.

    def get_token_grant(self, request: ProtocolRequest) -> Any:
        """The grant that was asked for. Raises InvalidRequestError (none asked) or UnsupportedGrantError."""
        taken = request.terms.grant_types
        for grant, _ in self._token_grants:
            if grant.check_token_endpoint(request) and (taken is None or grant.GRANT_TYPE in taken):
                return grant(request, self)
        if not request.payload.grant_type:
            raise InvalidRequestError("Parameter grant_type is missing.")
        raise UnsupportedGrantError("The grant_type is not supported.")

    def authenticate_client(
        self, request: ProtocolRequest, methods: Sequence[str], endpoint: str = "token"
    ) -> RegisteredClient:
        if request.vouched is not None and not request.vouched.is_suspended:
            request.client = request.vouched
            return request.vouched
        return authenticate(
            request, self.clients, self.assertions, self._clock, self.secret_uses, allow_public="none" in methods
        )

    def create_oauth2_request(self, request: ProtocolRequest) -> ProtocolRequest:
        return request

    def handle_response(self, status: int, body: Any, headers: Sequence[tuple[str, str]]) -> Answer:
        return status, body, headers

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nothing listens: what must be recorded is recorded where it happens."""

    def save_token(self, token: object, request: ProtocolRequest) -> None:
        """Nothing is saved: tokens have no row."""

    def _answer(self, make_request: Callable[[], ProtocolRequest], work: Callable[[ProtocolRequest], Answer]) -> Answer:
        try:
            return work(make_request())
        except OAuth2Error as error:
            return self.handle_error_response(None, error)

    def handle_error_response(self, request: ProtocolRequest | None, error: OAuth2Error) -> Answer:
        """A refusal leaves no trace, except where the deed itself must be remembered (a replay that ends a grant)."""
        if request is not None and not getattr(error, "keeps_writes", False):
            request.unit.undo()
        return super().handle_error_response(request, error)  # type: ignore[no-any-return]  # Authlib carries no types
