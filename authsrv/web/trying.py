"""A trial of an app in the portal: one authorization request of an admin's own, whose answer comes back to us.

The app's registered redirect URIs are the only ones its requests may name. A trial adds ours, for this one request of
this very browser and session: a sealed cookie says so, which nobody else can have or make (RFC 9700, 4.1 and 4.5).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response

from authsrv.kit.handles import Handle, Purpose
from authsrv.oauth.grants.authorization_code import challenge_of
from authsrv.storage.client_members import ADMIN, find_role
from authsrv.storage.clients import find_client_by_row
from authsrv.storage.unit import Unit
from authsrv.web.cookies import clear_cookie, read_cookie, set_cookie
from authsrv.web.runtime import runtime_of
from authsrv.web.sessions import session_cookie

CALLBACK = "/developers/try/callback"
_TRIAL = Purpose(17, "tr_")
_COOKIE = "authsrv_trial"
_LASTS = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Trial:
    """What the browser that began it remembers, sealed; `url` is the request as it was sent."""

    client_row_id: UUID
    session_id: str
    state: str
    verifier: str
    url: str


def callback_uri(request: Request) -> str:
    """Where the answer to a trial comes back to."""
    return runtime_of(request).settings.issuer + CALLBACK


def begin_trial(request: Request, response: Response, trial: Trial) -> None:
    runtime = runtime_of(request)
    ends_at = int((runtime.clock.now() + _LASTS).timestamp())
    kept = orjson.dumps([trial.session_id, trial.state, trial.verifier, trial.url])
    text = runtime.sealer.seal(_TRIAL, Handle(trial.client_row_id, ends_at, kept))
    set_cookie(response, request, _COOKIE, text, max_age_seconds=int(_LASTS.total_seconds()))


def end_trial(request: Request, response: Response) -> None:
    clear_cookie(response, request, _COOKIE)


def find_trial(request: Request) -> Trial | None:
    """The trial that this browser began, while it lasts."""
    runtime, cookie = runtime_of(request), read_cookie(request, _COOKIE)
    handle = runtime.sealer.open(_TRIAL, cookie) if cookie else None
    if handle is None or handle.counter < int(runtime.clock.now().timestamp()):
        return None
    return Trial(handle.row_id, *orjson.loads(handle.attachment))


def trial_uri(unit: Unit, request: Request, pairs: Sequence[tuple[str, str]]) -> str | None:
    """Our redirect URI, if this request is the one that an admin of its app began here; else None, at no cost."""
    own = callback_uri(request)
    if ("redirect_uri", own) not in pairs:
        return None
    trial, asked = find_trial(request), dict(pairs)
    if trial is None or "response_mode" in asked or asked.get("state") != trial.state:
        return None
    if asked.get("code_challenge") != challenge_of(trial.verifier):
        return None
    signed_in = runtime_of(request).sessions.find(unit, session_cookie(request))
    if signed_in is None or str(signed_in.session_id) != trial.session_id:
        return None
    client = find_client_by_row(unit, trial.client_row_id)
    is_own = client is not None and client.client_id == asked.get("client_id")
    return own if is_own and find_role(unit, trial.client_row_id, signed_in.user_id) == ADMIN else None
