"""The steps of an authorization request, at whichever door it came in: sign in, ask if it must be, send the code."""

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from authsrv.identity.sessions import SignedIn
from authsrv.identity.stores import KnownStore
from authsrv.oauth.authorization import AuthorizationRefused, AuthorizationRequest, UnprovenRequest
from authsrv.oauth.connecting import CannotConnect
from authsrv.oauth.consent import Standing
from authsrv.storage.unit import Unit
from authsrv.web.authorizing import (
    FRESH_SINCE,
    authorize_path,
    fresh_since,
    judge_pairs,
    learn_client,
    mark_fresh,
    named_store,
    send_code,
    send_refusal,
    show_unproven,
)
from authsrv.web.runtime import runtime_of
from authsrv.web.sessions import session_cookie
from authsrv.web.templates import link


@dataclass(frozen=True, slots=True)
class SignInFirst:
    """The person must sign in; `again` where they are signed in but the client wants it fresh."""

    asked: AuthorizationRequest
    again: bool


@dataclass(frozen=True, slots=True)
class AskFirst:
    """The person must be asked."""


@dataclass(frozen=True, slots=True)
class Granted:
    """Allowed before: here is the code."""

    asked: AuthorizationRequest
    code: str
    store: KnownStore | None


async def answer_authorization(request: Request, pairs: list[tuple[str, str]]) -> Response:
    """Leads the person to sign-in or consent, or the answer to the app."""
    runtime = runtime_of(request)
    await runtime.ensure_fresh()
    await learn_client(request, pairs)
    try:
        step = await runtime.database.transact(lambda unit: _next_step(unit, request, pairs))
    except UnprovenRequest as unproven:
        return show_unproven(request, unproven)
    except CannotConnect as refused:
        # The consent page tells the person before the app is told.
        return send_refusal(request, refused) if "none" in refused.asked.prompt else _ask(request, pairs)
    except AuthorizationRefused as refused:
        return send_refusal(request, refused)
    match step:
        case SignInFirst():
            return go_on(_sign_in_path(request, step, pairs))
        case AskFirst():
            return _ask(request, pairs)
        case Granted():
            return send_code(request, step.asked.back, step.code, step.store)


def _next_step(unit: Unit, request: Request, pairs: list[tuple[str, str]]) -> SignInFirst | AskFirst | Granted:
    runtime = runtime_of(request)
    asked = judge_pairs(unit, request, pairs)
    signed_in = runtime.sessions.find(unit, session_cookie(request))
    since = fresh_since(request, asked, pairs)
    if runtime.consents.needs_sign_in(asked, signed_in, since, unit.now()) or signed_in is None:
        return SignInFirst(asked, again=signed_in is not None)
    if not runtime.consents.is_hinted(unit, asked, signed_in):
        # OIDC Core 3.1.2.1: whoever signed in when asked to is who there is.
        was_asked = since is not None and signed_in.auth_time >= since
        if was_asked or "none" in asked.prompt:
            raise AuthorizationRefused("login_required", "Another person is signed in.", asked.back)
        return SignInFirst(asked, again=True)
    standing = runtime.consents.standing(unit, asked, signed_in, named_store(unit, request))
    return AskFirst() if standing.needs_consent else _grant(unit, request, asked, signed_in, standing)


def _grant(
    unit: Unit, request: Request, asked: AuthorizationRequest, signed_in: SignedIn, standing: Standing
) -> Granted:
    runtime = runtime_of(request)
    grant_id = unit.new_id()
    runtime.documents.keep(unit, asked.client)
    grant = runtime.consents.grant(
        unit, asked, signed_in, store=standing.place.store, scopes=list(asked.scopes), grant_id=grant_id
    )
    if grant is None:
        # Whoever was signed in a moment ago may no longer act.
        raise AuthorizationRefused("access_denied", "The person may not allow this.", asked.back)
    return Granted(asked, runtime.server.issuing.code_of(grant_id), standing.place.store)


def _sign_in_path(request: Request, step: SignInFirst, pairs: list[tuple[str, str]]) -> str:
    """The sign-in page, which comes back here; a client's wish for a fresh sign-in is fulfilled by one after now."""
    kept = [(name, value) for name, value in pairs if name != FRESH_SINCE]
    asked = step.asked
    wants_fresh = step.again or asked.max_age is not None or not asked.prompt.isdisjoint({"login", "select_account"})
    if wants_fresh:
        kept.append(mark_fresh(request, asked))
    prompt = "select_account" if "select_account" in asked.prompt else "login" if step.again else None
    return link(
        request,
        "/sign-in",
        next=authorize_path(request, kept),
        login_hint=asked.login_hint,
        prompt=prompt,
        ui_locales=asked.ui_locales,
    )


def _ask(request: Request, pairs: list[tuple[str, str]]) -> Response:
    return go_on(f"{link(request, '/consent').partition('?')[0]}?{urlencode(pairs)}")


def go_on(location: str) -> Response:
    """To the next step, kept by nobody: the location carries the request."""
    return RedirectResponse(location, 303, {"Cache-Control": "no-store"})
