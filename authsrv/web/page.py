"""What makes a handler a page: its refusals are pages too, in words, with a way on."""

from collections.abc import Awaitable, Callable
from functools import wraps

import structlog
from starlette.requests import Request
from starlette.responses import Response

from authsrv.identity.sessions import SignedIn
from authsrv.kit.errors import DomainError
from authsrv.web.csrf import FIELD, check_csrf
from authsrv.web.fields import refuse_nul
from authsrv.web.forms import read_form
from authsrv.web.sessions import find_signed_in
from authsrv.web.templates import error_page, language_of, link, local_path, redirect

log = structlog.get_logger(__name__)

Handler = Callable[[Request], Awaitable[Response]]
PersonalHandler = Callable[[Request, SignedIn], Awaitable[Response]]


def page(handler: Handler) -> Handler:
    """Words whatever the handler refuses as a page; what breaks is the gate's to log."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except DomainError as refusal:
            return refusal_page(request, refusal)

    return answer


def personal(handler: PersonalHandler) -> Handler:
    """A page for the person who is signed in; anyone else is asked to sign in and comes back."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        person = await find_signed_in(request)
        return ask_sign_in(request, "/account") if person is None else await handler(request, person)

    return page(answer)


def ask_sign_in(request: Request, home: str) -> Response:
    """Leads to the sign-in, and from there back here; who sent a form comes back to `home`."""
    here = request.url.path if request.method == "GET" else link(request, home)
    return redirect(request, "/sign-in", next=local_path(request, here))


async def read_page_form(request: Request) -> dict[str, str]:
    """The fields of a form of ours, the last of each name. Raises CrossSite, StaleForm, and what `read_form` raises."""
    form = dict(await read_form(request))
    check_csrf(request, form.get(FIELD))
    refuse_nul(form.values())
    return form


def refusal_page(request: Request, refusal: DomainError) -> Response:
    """A refusal as a page: its own texts where there are any, else general ones."""
    language = language_of(request)
    if refusal.status >= 500 or refusal.reason:
        log.warning("page refused", status=refusal.status, code=refusal.code, reason=refusal.reason)
    key = f"errors.{refusal.code}" if f"errors.{refusal.code}.title" in language.texts else "errors.general"
    return error_page(
        request,
        refusal.status,
        f"{key}.title",
        language.say(f"{key}.text"),
        advice=language.say(f"{key}.advice"),
        action=_way_on(request, language.say(f"{key}.action")),
        headers=refusal.headers,
    )


def _way_on(request: Request, label: str) -> tuple[str, str]:
    """The page the person was at: a form that was refused starts again from there."""
    path = request.url.path
    if "/developers" in path:
        return link(request, "/developers"), label
    for form in ("/sign-in", "/consent"):
        if f"{form}/" in f"{path}/":
            return link(request, "/sign-in", next=local_path(request, request.query_params.get("next"))), label
    return link(request, "/account"), label
