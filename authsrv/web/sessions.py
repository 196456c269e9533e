"""The session at the door: its cookie, and who stands behind it."""

from starlette.requests import Request
from starlette.responses import Response

from authsrv.identity.sessions import SignedIn
from authsrv.storage.unit import Unit
from authsrv.storage.users import User
from authsrv.web.context import context_of
from authsrv.web.cookies import clear_cookie, read_cookie, set_cookie
from authsrv.web.runtime import runtime_of

_COOKIE = "authsrv_session"


def session_cookie(request: Request) -> str | None:
    """The text of the session's cookie, as `Sessions.find` takes it."""
    return read_cookie(request, _COOKIE)


def set_session_cookie(response: Response, request: Request, text: str) -> None:
    # The server ends sessions; the cookie only must not outlive them.
    seconds = runtime_of(request).settings.sessions.absolute_seconds
    set_cookie(response, request, _COOKIE, text, max_age_seconds=seconds)


def clear_session_cookie(response: Response, request: Request) -> None:
    clear_cookie(response, request, _COOKIE)


async def find_signed_in(request: Request) -> SignedIn | None:
    """Who is signed in at this browser; no cookie costs no statement."""
    cookie = session_cookie(request)
    if cookie is None:
        return None
    runtime = runtime_of(request)
    return await runtime.database.transact(lambda unit: runtime.sessions.find(unit, cookie))


def begin_session(unit: Unit, request: Request, user: User, amr: tuple[str, ...]) -> str:
    """Begins a session, or renews the one that the same person has at this browser; returns the text of its cookie.

    Apps that were let in during a session go on in it: only the end of one is told to them.
    """
    sessions, cookie = runtime_of(request).sessions, session_cookie(request)
    user_agent, address = request.headers.get("user-agent", ""), context_of(request).client_address
    before = sessions.find(unit, cookie)
    if before is not None and before.user_id != user.id:
        sessions.end(unit, before.session_id, before.user_id)
    elif before is not None and (renewed := sessions.renew(unit, cookie, amr, user_agent, address)) is not None:
        return renewed
    text, _ = sessions.begin(unit, user, amr, user_agent, address)
    return text
