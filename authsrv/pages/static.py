"""`/static/…`: the style sheet, the script, the mark."""

from starlette.requests import Request
from starlette.responses import Response

from authsrv.web.runtime import runtime_of


async def serve(request: Request) -> Response:
    return await runtime_of(request).stationery.assets.serve(request)
