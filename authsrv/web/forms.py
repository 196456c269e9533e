"""Form bodies as protocol endpoints take them: url-encoded only (RFC 6749, 3.2 and Appendix B)."""

from typing import TypeAlias
from urllib.parse import parse_qsl

from starlette.requests import Request

from authsrv.kit.errors import DomainError

_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 100

# All pairs, in their order.
Form: TypeAlias = list[tuple[str, str]]


async def read_form(request: Request) -> Form:
    """All pairs of the body, in their order; a missing body is an empty form.

    Raises DomainError 415 for another content type, 400 for what cannot be decoded.
    """
    body = await request.body()
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != _FORM and (body or content_type):
        raise DomainError("invalid_request", 415, f"The body must be {_FORM}.")
    try:
        return parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        raise DomainError("invalid_request", 400, "The body is not a valid form.") from None
