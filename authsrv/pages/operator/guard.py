"""Who may see `/operator`: operators; to all others it is not there. What weighs needs a fresh sign-in besides."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import wraps

from starlette.requests import Request
from starlette.responses import Response

from authsrv.identity.sessions import SignedIn
from authsrv.kit.errors import DomainError
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_user_by_id
from authsrv.web.fields import Fields, read_fields
from authsrv.web.page import ask_sign_in, page
from authsrv.web.runtime import runtime_of
from authsrv.web.sessions import session_cookie
from authsrv.web.templates import link, local_path, redirect

Handler = Callable[[Request], Awaitable[Response]]
OperatorPage = Callable[[Request, SignedIn], Awaitable[Response]]
OperatorAction = Callable[[Request, SignedIn, Fields], Awaitable[Response]]


def not_there() -> DomainError:
    """What everybody else hears."""
    return DomainError("not_found", 404, "There is nothing at this path.")


def operator_page(handler: OperatorPage) -> Handler:
    """A page for operators. Nobody: sign-in, and back; anybody else: 404."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        person = await _find_operator(request)
        return person if isinstance(person, Response) else await handler(request, person)

    return page(answer)


def weighty_page(handler: OperatorPage) -> Handler:
    """The form of an act: asked of who signed in a moment ago, so that a browser left alone decides nothing."""

    @wraps(handler)
    async def answer(request: Request, person: SignedIn) -> Response:
        if _age(request, person) > _fresh(request):
            return _sign_in_again(request, person)
        return await handler(request, person)

    return operator_page(answer)


def weighty_action(handler: OperatorAction) -> Handler:
    """The act itself. Its form may have been open for as long as a sign-in counts as fresh."""

    @wraps(handler)
    async def answer(request: Request, person: SignedIn) -> Response:
        fields = await read_fields(request)
        if _age(request, person) > 2 * _fresh(request):
            return _sign_in_again(request, person)
        return await handler(request, person, fields)

    return operator_page(answer)


def _fresh(request: Request) -> timedelta:
    return timedelta(seconds=runtime_of(request).settings.sessions.fresh_seconds)


def _age(request: Request, person: SignedIn) -> timedelta:
    return runtime_of(request).clock.now() - person.auth_time


def _sign_in_again(request: Request, person: SignedIn) -> Response:
    here = link(request, request.scope["path"].removeprefix(request.scope.get("root_path", "")))
    return redirect(request, "/sign-in", next=local_path(request, here), prompt="login", login_hint=person.email)


async def _find_operator(request: Request) -> SignedIn | Response:
    runtime, cookie = runtime_of(request), session_cookie(request)

    def look(unit: Unit) -> tuple[SignedIn | None, bool]:
        person = runtime.sessions.find(unit, cookie)
        user = find_user_by_id(unit, person.user_id) if person else None
        return person, user is not None and user.is_operator

    person, is_operator = await runtime.database.transact(look) if cookie else (None, False)
    if person is None:
        return ask_sign_in(request, "/operator")
    if not is_operator:
        raise not_there()
    return person
