"""`/sign-in/password`: for people who brought a password from the shop they already know."""

from starlette.requests import Request
from starlette.responses import Response

from authsrv.identity.emails import normal_email
from authsrv.identity.password_sign_in import (
    TooManyTries,
    WrongPassword,
    accept_password,
    take_password_try,
)
from authsrv.kit.errors import DomainError
from authsrv.pages.arriving import Arrival, arrival_of, arrive
from authsrv.storage.unit import Unit
from authsrv.web.page import page, read_page_form
from authsrv.web.runtime import runtime_of
from authsrv.web.sessions import begin_session
from authsrv.web.sign_in_limits import refuse_flood
from authsrv.web.templates import render


@page
async def ask_password(request: Request) -> Response:
    return _password_page(request, arrival_of(request, {}), email=request.query_params.get("login_hint", ""))


@page
async def take_password(request: Request) -> Response:
    """Signs in whose password it is; who is unknown waits as long and hears the same."""
    form = await read_page_form(request)
    arrival = arrival_of(request, form)
    typed, password = form.get("email", ""), form.get("password", "")
    try:
        email = normal_email(typed)
    except DomainError:
        return _password_page(request, arrival, email=typed, error="sign_in.email_wrong", status=400)
    await refuse_flood(request)
    try:
        cookie = await _check(request, arrival, email, password)
    except WrongPassword as wrong:
        return _password_page(request, arrival, email=email, error="password.wrong", status=wrong.status)
    except TooManyTries as spent:
        response = _password_page(request, arrival, email=email, error="password.spent", status=spent.status)
        response.headers.update(spent.headers)
        return response
    return arrive(request, arrival, cookie)


async def _check(request: Request, arrival: Arrival, email: str, password: str) -> str:
    """The cookie of the new session. The hash is checked between two transactions: it takes its time."""
    runtime = runtime_of(request)
    tried = await runtime.database.transact(lambda unit: take_password_try(unit, email))
    if not await runtime.passwords.verify(password, tried.stored):
        raise WrongPassword
    is_old = tried.stored is not None and runtime.passwords.needs_rehash(tried.stored)
    rehashed = await runtime.passwords.hash(password) if is_old else None

    def accept(unit: Unit) -> str:
        store = arrival.find_store(unit) if arrival.names_store else None
        user = accept_password(unit, tried, rehashed=rehashed, store_id=store.id if store else None)
        return begin_session(unit, request, user, ("pwd",))

    return await runtime.database.transact(accept)


def _password_page(
    request: Request, arrival: Arrival, *, email: str, error: str | None = None, status: int = 200
) -> Response:
    return render(request, "password.html", status, email=email[:254], error=error, next=arrival.next)
