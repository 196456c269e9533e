"""Requests for tokens, at whatever door: whose they are, and how often a client may ask."""

from authlib.oauth2 import OAuth2Error
from starlette.requests import Request

from authsrv.oauth.client_authentication import Attempt, Proof, is_proven, read_attempt
from authsrv.oauth.clients import RegisteredClient, find_secret
from authsrv.web.clients import look_up_client
from authsrv.web.context import context_of
from authsrv.web.forms import Form
from authsrv.web.limits import address_key, note_allowance
from authsrv.web.protocol import authorization_of, note_proof
from authsrv.web.runtime import Runtime, runtime_of
from authsrv.web.usage import REFRESH, TOKEN, note_use

_REFRESHING = ("grant_type", "refresh_token")


async def count_token_request(request: Request, form: Form) -> None:
    """Counts the request for its client, else for its address: nobody can use up another's quota. Raises RateLimited.

    A public client, which anybody can name, has a quota for each address.
    """
    runtime = runtime_of(request)
    client = await _find_sender(request, runtime, form)
    key = f"client {client.client_id}" if client else "address"
    if client is None or client.is_public:
        key += f" {address_key(context_of(request).client_address)}"
    allowance = await runtime.limits.hit("token_per_client", key, client.token_limit if client else None)
    if client is not None:
        # Only then: an unknown client and a wrong secret must not be told apart.
        note_allowance(request, allowance)


async def find_proven(request: Request, form: Form) -> RegisteredClient | None:
    """The client that only itself can have sent this, suspended or not; public ones prove nothing."""
    runtime = runtime_of(request)
    attempt = _read(request, form)
    client = await look_up_client(runtime, attempt.client_id) if attempt else None
    if attempt is None:
        return None
    # Asked for who is not there too: that takes as long.
    return client if is_proven(attempt, client, runtime.server.assertions, runtime.clock.now()) else None


async def _find_sender(request: Request, runtime: Runtime, form: Form) -> RegisteredClient | None:
    """The client that this is from, as far as that can be known before the engine has judged it."""
    attempt = _read(request, form)
    client = await look_up_client(runtime, attempt.client_id) if attempt else None
    if client is not None:
        note_use(request.scope, client.client_id, REFRESH if _REFRESHING in form else TOKEN)
    if attempt is None or client is None or client.is_suspended:
        return None
    if client.is_public:
        return client
    if attempt.assertion is not None:
        return client if runtime.server.assertions.is_signed(client, attempt.assertion) else None
    digest = find_secret(client, attempt.secret, runtime.clock.now())
    note_proof(request.scope, Proof(attempt, client, digest))
    return client if digest is not None else None


def _read(request: Request, form: Form) -> Attempt | None:
    try:
        return read_attempt(authorization_of(request), {name: value for name, value in reversed(form) if value})
    except OAuth2Error:
        return None  # the engine says what is wrong with it
