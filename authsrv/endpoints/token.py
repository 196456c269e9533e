"""The token endpoint (RFC 6749, 3.2)."""

from starlette.requests import Request
from starlette.responses import Response

from authsrv.endpoints.protocol import answer
from authsrv.web.runtime import runtime_of


async def token(request: Request) -> Response:
    """A grant for tokens."""
    return await answer(request, "/oauth/token", runtime_of(request).server.answer_token_request)
