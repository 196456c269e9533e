"""The token endpoint (RFC 6749, 3.2), and how often a client may ask at it."""

from authlib.oauth2 import OAuth2Error
from starlette.requests import Request
from starlette.responses import Response

from authsrv.endpoints.protocol import answer
from authsrv.oauth.client_authentication import Attempt, is_proven, read_attempt
from authsrv.oauth.clients import RegisteredClient
from authsrv.web.clients import look_up_client
from authsrv.web.context import context_of
from authsrv.web.forms import Form, read_form
from authsrv.web.limits import address_key, note_allowance
from authsrv.web.runtime import runtime_of


async def token(request: Request) -> Response:
    """A grant for tokens."""
    runtime = runtime_of(request)
    form = await read_form(request)
    attempt = _read(request, form)
    client = await look_up_client(runtime, attempt.client_id) if attempt else None
    key, own = _who_is_counted(request, attempt, client)
    note_allowance(request, await runtime.limits.hit("token_per_client", key, own))
    return await answer(request, "/oauth/token", runtime.server.answer_token_request, form)


def _read(request: Request, form: Form) -> Attempt | None:
    try:
        return read_attempt(request.headers, {name: value for name, value in reversed(form) if value})
    except OAuth2Error:
        return None  # the engine says what is wrong with it


def _who_is_counted(
    request: Request, attempt: Attempt | None, client: RegisteredClient | None
) -> tuple[str, str | None]:
    """The client that proves itself, with its own limit, else the address: nobody can use up another's quota.

    A public client, which anybody can name, has a quota for each address.
    """
    runtime = runtime_of(request)
    if client is not None and attempt is not None and not client.is_public:
        if is_proven(attempt, client, runtime.server.assertions, runtime.clock.now()):
            return f"client {client.client_id}", client.token_limit
        client = None
    address = address_key(context_of(request).client_address)
    if client is None:
        return f"address {address}", None
    return f"client {client.client_id} {address}", client.token_limit
