"""Signing out at an app's request (OpenID Connect RP-Initiated Logout 1.0)."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from authsrv.identity.sessions import SignedIn
from authsrv.oauth.authorization import with_parameters
from authsrv.oauth.clients import RegisteredClient
from authsrv.storage.unit import Unit
from authsrv.web.csrf import check_csrf
from authsrv.web.forms import read_form
from authsrv.web.page import page
from authsrv.web.runtime import runtime_of
from authsrv.web.sessions import clear_session_cookie, session_cookie
from authsrv.web.templates import error_page, language_of, link, render

_PARAMETERS = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales")


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether the person was signed out (or was not signed in), and where they go."""

    is_out: bool
    client: RegisteredClient | None
    location: str | None
    has_bad_uri: bool = False


@page
async def logout(request: Request) -> Response:
    """With a hint that matches the session, signs out at once; else a page asks, with a button `confirm`."""
    sent = await read_form(request) if request.method == "POST" else request.query_params.multi_items()
    # RFC 6749, 3.1: one without a value counts as absent.
    pairs = [(name, value) for name, value in sent if value]
    fields = dict(pairs)
    if len(fields) < len(pairs):
        return _refuse(request, "repeated")
    is_confirmed = request.method == "POST" and "confirm" in fields
    if is_confirmed:
        check_csrf(request, fields.get("csrf_token"))
    elif request.method == "POST":
        # SameSite=Lax keeps the cookie from a POST that another site makes: as a GET the browser sends it along.
        asked = urlencode({name: fields[name] for name in _PARAMETERS if fields.get(name)})
        path = link(request, "/oauth/logout").partition("?")[0]
        return RedirectResponse(f"{path}?{asked}", 303, {"Cache-Control": "no-store"})
    runtime = runtime_of(request)
    outcome = await runtime.database.transact(lambda unit: _sign_out(unit, request, fields, is_confirmed=is_confirmed))
    if outcome.has_bad_uri:
        return _refuse(request, "bad_uri")
    if not outcome.is_out:
        kept = {name: fields[name] for name in _PARAMETERS if fields.get(name)}
        name = outcome.client.name if outcome.client else None
        return render(request, "sign_out.html", action=link(request, "/oauth/logout"), hidden=kept, app_name=name)
    response: Response
    if outcome.location is not None:
        response = RedirectResponse(outcome.location, 303, {"Cache-Control": "no-store"})
    else:
        response = render(request, "signed_out.html")
    if session_cookie(request) is not None:
        clear_session_cookie(response, request)
    return response


def _refuse(request: Request, why: str) -> Response:
    language = language_of(request)
    text = language.say(f"logout.{why}")
    action = (link(request, "/account"), language.say("account.title"))
    return error_page(request, 400, f"logout.{why}_title", text, action=action)


def _sign_out(unit: Unit, request: Request, fields: Mapping[str, str], *, is_confirmed: bool) -> Outcome:
    runtime = runtime_of(request)
    hint = runtime.server.issuing.id_tokens.read_hint(fields.get("id_token_hint", ""))
    client_id = fields.get("client_id") or (hint["aud"] if hint else None)
    client = runtime.server.clients.find(unit, client_id) if client_id else None
    if hint is not None and hint["aud"] != client_id:
        # RP-Initiated Logout 1.0, 2: the hint must have been issued to the client that is named.
        hint = None
    uri = fields.get("post_logout_redirect_uri")
    if uri and (client is None or client.is_suspended or uri not in client.post_logout_redirect_uris):
        return Outcome(is_out=False, client=client, location=None, has_bad_uri=True)
    state = [("state", fields["state"])] if fields.get("state") else []
    location = with_parameters(uri, state) if uri else None
    signed_in = runtime.sessions.find(unit, session_cookie(request))
    if signed_in is None:
        # Nobody to sign out; where this leads is registered, whoever sent the person here.
        return Outcome(is_out=True, client=client, location=location)
    if not (is_confirmed or (client and hint and _speaks_of(unit, request, hint, signed_in, client))):
        return Outcome(is_out=False, client=client, location=None)
    runtime.sessions.end(unit, signed_in.session_id, signed_in.user_id)
    return Outcome(is_out=True, client=client, location=location)


def _speaks_of(
    unit: Unit, request: Request, hint: Mapping[str, object], signed_in: SignedIn, client: RegisteredClient
) -> bool:
    consents = runtime_of(request).consents
    if hint.get("sub") != consents.subject_of(unit, signed_in.user_id, client):
        return False
    return hint.get("sid") in {None, consents.session_name_of(unit, signed_in, client)}
