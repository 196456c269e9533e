"""Cookies as browsers keep them safest: `__Host-`, Secure, HttpOnly, SameSite=Lax (RFC 6265bis, 4.1.3.2)."""

from starlette.requests import Request
from starlette.responses import Response

from authsrv.web.runtime import runtime_of


def read_cookie(request: Request, name: str) -> str | None:
    """The cookie's text, or None."""
    return request.cookies.get(_full_name(request, name))


def set_cookie(response: Response, request: Request, name: str, text: str, *, max_age_seconds: int | None) -> None:
    """Sets a cookie for the whole host; without an age it lasts as long as the browser runs."""
    response.set_cookie(
        _full_name(request, name),
        text,
        max_age=max_age_seconds,
        # `__Host-` demands it, also where the server is mounted below a path.
        path="/",
        secure=_is_secure(request),
        httponly=True,
        samesite="lax",
    )


def clear_cookie(response: Response, request: Request, name: str) -> None:
    response.delete_cookie(
        _full_name(request, name), path="/", secure=_is_secure(request), httponly=True, samesite="lax"
    )


def _full_name(request: Request, name: str) -> str:
    return f"__Host-{name}" if _is_secure(request) else name


def _is_secure(request: Request) -> bool:
    """By the issuer: what the socket says is hearsay behind a proxy."""
    return runtime_of(request).settings.issuer.startswith("https:")
