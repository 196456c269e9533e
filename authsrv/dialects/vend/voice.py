"""How Vend's paths word what goes wrong: the standards' body, and when to come back as a date (RFC 9110, 10.2.3)."""

from datetime import timedelta
from email.utils import format_datetime
from functools import wraps

from starlette.requests import Request
from starlette.responses import Response

from authsrv.kit.errors import DomainError
from authsrv.web.doors import Handler
from authsrv.web.runtime import runtime_of
from authsrv.web.voices import protocol_voice


def voice(error: DomainError) -> Response:
    return protocol_voice(error)


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
