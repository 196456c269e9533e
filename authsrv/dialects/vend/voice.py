"""How Vend's paths word what goes wrong: the standards' body, and when to come back as a date (RFC 9110, 10.2.3)."""

from datetime import timedelta
from email.utils import format_datetime
from functools import wraps

from starlette.requests import Request
from starlette.responses import Response

from authsrv.kit.errors import DomainError
from authsrv.web.doors import Handler
from authsrv.web.responses import NO_STORE, JsonResponse
from authsrv.web.runtime import runtime_of


def voice(error: DomainError) -> Response:
    # The standards answer who sent no token at all with an empty body; here every refusal says what it is.
    code = "invalid_token" if error.code == "unauthorized" else error.code
    body = {"error": code, "error_description": error.description}
    return JsonResponse(body, error.status, {**error.headers, **NO_STORE})


def dated(handler: Handler) -> Handler:
    """The handler, whose refusals say when to come back as a date; elsewhere in the house it is a number of seconds."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except DomainError as refusal:
            wait = refusal.headers.get("Retry-After", "")
            if wait.isdigit():
                back_at = runtime_of(request).clock.now() + timedelta(seconds=int(wait))
                refusal.headers["Retry-After"] = format_datetime(back_at, usegmt=True)
            raise

    return answer
