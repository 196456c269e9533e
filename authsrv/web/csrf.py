"""Forms that only our own pages can send: a sealed token for this browser, and the origin the browser tells.

OWASP CSRF Prevention Cheat Sheet: HMAC-based token, bound to the session, with Fetch Metadata in front of it.
"""

import hmac
from urllib.parse import urlsplit
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from authsrv.kit.errors import DomainError
from authsrv.kit.handles import Handle, Purpose
from authsrv.web.cookies import clear_cookie, read_cookie, set_cookie
from authsrv.web.runtime import runtime_of
from authsrv.web.sessions import session_cookie

FIELD = "csrf_token"
_TOKEN = Purpose(7, "cf_")
_BROWSER = Purpose(8, "br_")
# Who is not signed in has this one instead of a session.
_BROWSER_COOKIE = "authsrv_browser"
_BROWSER_SECONDS = 86_400
_STATE = "csrf_browser"


class CrossSite(DomainError):
    """The form was sent from another site."""

    def __init__(self, reason: str) -> None:
        super().__init__("cross_site", 403, "This form was sent from another site.", reason=reason)


class StaleForm(DomainError):
    """The form's token is missing, forged, or from before the person signed in or out."""

    def __init__(self, reason: str) -> None:
        super().__init__("stale_form", 403, "This page was open for too long.", reason=reason)


def csrf_token(request: Request) -> str:
    """The token for the forms of a page; without a session, the browser gets a cookie by `keep_browser`."""
    bound = _session_id(request) or _browser_id(request)
    if bound is None:
        bound = getattr(request.state, _STATE, None) or runtime_of(request).identifiers.next()
        setattr(request.state, _STATE, bound)
    return runtime_of(request).sealer.seal(_TOKEN, Handle(bound, 0))


def keep_browser(request: Request, response: Response) -> None:
    """Sets the cookie that a token made for this page is bound to, if one was made."""
    if (bound := getattr(request.state, _STATE, None)) is not None:
        text = runtime_of(request).sealer.seal(_BROWSER, Handle(bound, 0))
        set_cookie(response, request, _BROWSER_COOKIE, text, max_age_seconds=_BROWSER_SECONDS)


def forget_browser(request: Request, response: Response) -> None:
    """At sign-in: what was bound to the browser before is worth nothing after."""
    clear_cookie(response, request, _BROWSER_COOKIE)


def check_csrf(request: Request, token: str | None) -> None:
    """Lets a form of ours pass. Raises CrossSite or StaleForm."""
    _check_origin(request)
    handle = runtime_of(request).sealer.open(_TOKEN, token) if token else None
    if handle is None:
        raise StaleForm("no token of ours")
    bound = (_session_id(request), _browser_id(request))
    if not any(own is not None and hmac.compare_digest(own.bytes, handle.row_id.bytes) for own in bound):
        raise StaleForm("the token of another browser or session")


def _check_origin(request: Request) -> None:
    """What the browser says of where the form came from, where it says it; the token has the last word."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site not in {"same-origin", "none"}:
            raise CrossSite(f"Sec-Fetch-Site: {site}")
        return
    origin = request.headers.get("origin")
    if origin is None:
        return
    issuer = urlsplit(runtime_of(request).settings.issuer)
    # A page of another site cannot choose these headers of a form it sends.
    hosts = {issuer.netloc, request.headers.get("host"), request.headers.get("x-forwarded-host")}
    if _host_of(origin) not in hosts:
        raise CrossSite("Origin of another host")


def _host_of(origin: str) -> str:
    """Host and port of an origin; of what is no origin nothing that a host could be."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _session_id(request: Request) -> UUID | None:
    return runtime_of(request).sessions.session_id(session_cookie(request))


def _browser_id(request: Request) -> UUID | None:
    cookie = read_cookie(request, _BROWSER_COOKIE)
    handle = runtime_of(request).sealer.open(_BROWSER, cookie) if cookie else None
    return handle.row_id if handle else None
