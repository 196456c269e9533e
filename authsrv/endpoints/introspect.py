"""The introspection endpoint (RFC 7662)."""

from starlette.requests import Request
from starlette.responses import Response

from authsrv.web.protocol import answer
from authsrv.web.runtime import runtime_of


async def introspect(request: Request) -> Response:
    """What a token is good for, for its client or a resource server."""
    engine = runtime_of(request).server.answer_introspection
    return await answer(request, "/oauth/introspect", engine, from_memory=True)
