"""Client authentication (RFC 6749, 2.3; RFC 7523; RFC 7591, 2): nothing tells an unknown client from a wrong secret."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError

from authsrv.kit.clock import Clock
from authsrv.oauth.client_assertion import METHOD as PRIVATE_KEY_JWT
from authsrv.oauth.client_assertion import ClientAssertions, PresentedAssertion, read_assertion
from authsrv.oauth.client_secrets import SecretUses
from authsrv.oauth.clients import ClientDirectory, RegisteredClient, find_secret
from authsrv.oauth.requests import ProtocolRequest, read_basic

METHODS = ("client_secret_basic", "client_secret_post", PRIVATE_KEY_JWT, "none")


class Attempt(NamedTuple):
    """What the request presents; `secret` is empty where the client only says its name."""

    method: str
    client_id: str
    secret: str = ""
    assertion: PresentedAssertion | None = None


class Proof(NamedTuple):
    """What a door found out about an attempt, so that the engine need not do it again."""

    attempt: Attempt
    client: RegisteredClient
    # The digest of the client's live secret that was presented, if one was.
    secret_digest: bytes | None


def authenticate(
    request: ProtocolRequest,
    directory: ClientDirectory,
    assertions: ClientAssertions,
    clock: Clock,
    uses: SecretUses,
    *,
    allow_public: bool,
) -> RegisteredClient:
    """The client that proved itself (or, where public clients are allowed, named itself).

    Raises InvalidRequestError for two methods at once, InvalidClientError (401) for all else.
    """
    proof = request.proof
    attempt = proof.attempt if proof else read_attempt(request.headers, request.form)
    client = directory.find(request.unit, attempt.client_id)
    digest = None
    if attempt.method == "none":
        proven = client is not None and allow_public
    elif attempt.assertion is None:
        if proof is not None and proof.client is client:
            digest = proof.secret_digest
        else:  # no door looked, or the client has changed since: then it is another object
            digest = find_secret(client, attempt.secret, clock.now())
        proven = digest is not None
    else:
        proven = True  # judged last: it is used up by that
    if not proven or client is None or client.is_suspended:
        raise _refused(attempt.method)
    taken = request.terms.auth_methods
    if not client.check_endpoint_auth_method(attempt.method, "token") or (taken and attempt.method not in taken):
        raise _refused(attempt.method)
    if attempt.assertion is not None and not assertions.prove(request.unit, client, attempt.assertion):
        raise _refused(attempt.method)
    if digest is not None:
        uses.note(client.row_id, digest)
    request.client = client
    request.auth_method = attempt.method
    return client


def is_proven(attempt: Attempt, client: RegisteredClient | None, assertions: ClientAssertions, now: datetime) -> bool:
    """Whether only the client itself can have sent this; uses nothing up, and lets nobody in."""
    if attempt.assertion is None:
        return find_secret(client, attempt.secret, now) is not None
    return client is not None and assertions.is_signed(client, attempt.assertion)


def read_attempt(headers: Mapping[str, str], form: Mapping[str, str]) -> Attempt:
    """Which client this claims to be, and how it would prove it."""
    try:
        basic = read_basic(headers)
    except ValueError:
        # RFC 6749, 5.2: who tried this header and failed is answered 401, however they failed.
        raise _refused("client_secret_basic") from None
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    asserts = "client_assertion" in form or "client_assertion_type" in form
    if (basic is not None) + bool(secret) + asserts > 1:
        # RFC 6749, 2.3: not more than one method in a request.
        raise InvalidRequestError("Only one way of client authentication may be used in a request.")
    if basic is not None:
        if client_id and client_id != basic[0]:
            raise InvalidRequestError("client_id differs from the one in the Authorization header.")
        return Attempt("client_secret_basic", *basic)
    if asserts:
        assertion = read_assertion(form)
        # RFC 7521, 4.2: client_id may be left out; if it is there, it is the same.
        if assertion is None or client_id not in {"", assertion.client_id}:
            raise _refused(PRIVATE_KEY_JWT)
        return Attempt(PRIVATE_KEY_JWT, assertion.client_id, assertion=assertion)
    if not client_id:
        raise _refused("none")
    return Attempt("client_secret_post" if secret else "none", client_id, secret)


def _refused(method: str) -> InvalidClientError:
    return ClientRefused(with_challenge=method == "client_secret_basic")


class ClientRefused(InvalidClientError):  # type: ignore[misc]  # Authlib carries no types
    """401 always; with a challenge where the client tried Basic (RFC 6749, 5.2)."""

    def __init__(self, *, with_challenge: bool) -> None:
        super().__init__(description="Client authentication failed.", status_code=401)
        self._with_challenge = with_challenge

    def get_headers(self) -> list[tuple[str, str]]:
        headers: list[tuple[str, str]] = [("Content-Type", "application/json")]
        if self._with_challenge:
            headers.append(("WWW-Authenticate", 'Basic realm="authsrv", charset="UTF-8"'))
        return headers
