"""What every call must be before anything else is looked at: over HTTPS, and ready for gzip."""

from functools import wraps

from starlette.requests import Request
from starlette.responses import Response

from authsrv.dialects.customer_api.answers import asks_for_gzip
from authsrv.kit.errors import DomainError
from authsrv.web.context import context_of
from authsrv.web.doors import Handler
from authsrv.web.runtime import runtime_of


def transported(handler: Handler) -> Handler:
    """The handler, behind the transport's rules."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        # Plain HTTP from elsewhere than this machine the gate has refused.
        if not (context_of(request).is_secure or runtime_of(request).settings.customer_api.allow_http):
            raise DomainError("https_required", 403, "This API answers over HTTPS only.")
        if not asks_for_gzip(request.headers.getlist("accept-encoding")):
            raise DomainError("invalid_request", 400, "The Accept-Encoding header must name gzip.")
        return await handler(request)

    return answer


async def read_json(request: Request) -> bytes:
    """The body. Raises `unsupported_media_type` unless its Content-Type says that it is JSON."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise DomainError("unsupported_media_type", 415, "The Content-Type header must be application/json.")
    return await request.body()
