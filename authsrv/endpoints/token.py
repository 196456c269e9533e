"""The token endpoint (RFC 6749, 3.2)."""

from starlette.requests import Request
from starlette.responses import Response

from authsrv.web.forms import read_form
from authsrv.web.protocol import answer
from authsrv.web.runtime import runtime_of
from authsrv.web.token_requests import count_token_request

# What a client gets for itself hangs on no row.
_FOR_ITSELF = ("grant_type", "client_credentials")


async def token(request: Request) -> Response:
    """A grant for tokens."""
    form = await read_form(request)
    await count_token_request(request, form)
    engine = runtime_of(request).server.answer_token_request
    return await answer(request, "/oauth/token", engine, form, from_memory=_FOR_ITSELF in form)
