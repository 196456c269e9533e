"""The revocation endpoint (RFC 7009)."""

from starlette.requests import Request
from starlette.responses import Response

from authsrv.web.protocol import answer
from authsrv.web.runtime import runtime_of


async def revoke(request: Request) -> Response:
    """Takes a token back; it is void in this process when the answer leaves, everywhere within a second."""
    return await answer(request, "/oauth/revoke", runtime_of(request).server.answer_revocation)
