"""`/sign-in`: an e-mail address, then the six digits that were mailed to it."""

from datetime import timedelta
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from authsrv.identity.emails import normal_email
from authsrv.identity.sign_in import (
    MOST_TRIES,
    RESEND_PAUSE,
    SIGN_IN,
    CodeMail,
    NoTriesLeft,
    ResendTooSoon,
    SignInOver,
    WrongCode,
)
from authsrv.kit.errors import DomainError
from authsrv.kit.handles import Handle, Purpose
from authsrv.kit.mail import MailAway
from authsrv.pages.arriving import Arrival, arrival_of, arrive
from authsrv.storage.email_codes import EmailCode, find_email_code
from authsrv.storage.unit import Unit
from authsrv.web.code_mails import send_code
from authsrv.web.cookies import clear_cookie, read_cookie, set_cookie
from authsrv.web.page import page, read_page_form
from authsrv.web.runtime import runtime_of
from authsrv.web.sessions import begin_session, find_signed_in
from authsrv.web.sign_in_limits import refuse_flood, refuse_mail_flood
from authsrv.web.templates import language_of, redirect, render

_SIGN_IN_HANDLE = Purpose(6, "si_")
_COOKIE = "authsrv_sign_in"
# Longer than a code lives: who comes back late finds the address kept.
_COOKIE_SECONDS = 3600
_LONGEST_CODE = 40


@page
async def ask_email(request: Request) -> Response:
    """The first step, or, for who is signed in already, the choice to go on."""
    asks_anew = {"login", "select_account"} & set(request.query_params.get("prompt", "").split())
    person = None if asks_anew else await find_signed_in(request)
    if person is not None:
        return render(request, "signed_in.html", person=person, next=arrival_of(request, {}).next)
    return await _email_page(request, arrival_of(request, {}), email=request.query_params.get("login_hint", ""))


@page
async def take_email(request: Request) -> Response:
    """Begins a sign-in and mails the code: the same for every address."""
    form = await read_page_form(request)
    arrival = arrival_of(request, form)
    typed = form.get("email", "")
    try:
        email = normal_email(typed)
    except DomainError:
        return await _email_page(request, arrival, email=typed, error="sign_in.email_wrong", status=400)
    await refuse_flood(request)
    await refuse_mail_flood(request, arrival.prefix)
    runtime = runtime_of(request)

    def begin(unit: Unit) -> tuple[CodeMail, str | None]:
        store = arrival.find_store(unit)
        code = runtime.sign_ins.begin(unit, email, store_id=store.id if store else None)
        return code, store.name if store else None

    code, shop = await runtime.database.transact(begin)
    try:
        await send_code(runtime, language_of(request), code, shop=shop)
    except MailAway as away:
        await runtime.database.transact(lambda unit: runtime.sign_ins.drop(unit, code.sign_in_id))
        return _mail_away_page(request, arrival, email, away)
    response = redirect(request, "/sign-in/code", next=arrival.next)
    handle = runtime.sealer.seal(_SIGN_IN_HANDLE, Handle(code.sign_in_id, 0))
    set_cookie(response, request, _COOKIE, handle, max_age_seconds=_COOKIE_SECONDS)
    return response


@page
async def ask_code(request: Request) -> Response:
    """The second step."""
    return await _code_page(request, arrival_of(request, {}))


@page
async def take_code(request: Request) -> Response:
    """Signs the person in, if the digits are the ones of the newest mail to this browser."""
    form = await read_page_form(request)
    arrival = arrival_of(request, form)
    sign_in_id = _sign_in_id(request)
    if sign_in_id is None:
        return await _code_page(request, arrival)
    code = "".join(form.get("code", "")[:_LONGEST_CODE].split())
    if not (len(code) == 6 and code.isascii() and code.isdigit()):
        # No code at all: a slip of the fingers is not worth a try.
        return await _code_page(request, arrival, error="code.malformed", status=400)
    runtime = runtime_of(request)

    def confirm(unit: Unit) -> str:
        store = arrival.find_store(unit)
        user = runtime.sign_ins.confirm(
            unit, sign_in_id, code, store_id=store.id if store else None, joins_known=arrival.names_store
        )
        return begin_session(unit, request, user, ("otp",))

    try:
        cookie = await runtime.database.transact(confirm)
    except WrongCode as wrong:
        return await _code_page(request, arrival, error="code.wrong", tries_left=wrong.tries_left, status=400)
    except (NoTriesLeft, SignInOver):
        return await _code_page(request, arrival, status=400)
    response = arrive(request, arrival, cookie)
    clear_cookie(response, request, _COOKIE)
    return response


@page
async def resend(request: Request) -> Response:
    """Mails the next code of the same sign-in, once the pause is over."""
    form = await read_page_form(request)
    arrival = arrival_of(request, form)
    sign_in_id = _sign_in_id(request)
    if sign_in_id is None:
        return await _code_page(request, arrival)
    await refuse_flood(request)
    runtime = runtime_of(request)

    def step(unit: Unit) -> tuple[CodeMail, str | None]:
        store = arrival.find_store(unit)
        code = runtime.sign_ins.resend(unit, sign_in_id, store_id=store.id if store else None)
        return code, store.name if store else None

    try:
        code, shop = await runtime.database.transact(step)
        await send_code(runtime, language_of(request), code, shop=shop)
    except ResendTooSoon:
        return redirect(request, "/sign-in/code", next=arrival.next, resent="wait")
    except (NoTriesLeft, SignInOver):
        return await _code_page(request, arrival)
    except MailAway as away:
        row = await runtime.database.transact(lambda unit: find_email_code(unit, sign_in_id), read_only=True)
        return _mail_away_page(request, arrival, row.email if row else "", away)
    return redirect(request, "/sign-in/code", next=arrival.next, resent="yes")


async def _email_page(
    request: Request, arrival: Arrival, *, email: str, error: str | None = None, status: int = 200
) -> Response:
    runtime = runtime_of(request)
    store = await runtime.database.transact(arrival.find_store, read_only=True)
    return render(
        request,
        "sign_in.html",
        status,
        email=email[:254],
        error=error,
        next=arrival.next,
        has_mail=runtime.mailer is not None,
        shop=store.name if store else None,
        is_developers=arrival.is_developers,
    )


async def _code_page(
    request: Request, arrival: Arrival, *, error: str | None = None, tries_left: int = MOST_TRIES, status: int = 200
) -> Response:
    """The code's form, or, when its time or its tries are over, one click to begin again with the address kept."""
    sign_in_id = _sign_in_id(request)
    if sign_in_id is None:
        return redirect(request, "/sign-in", next=arrival.next)
    row = await runtime_of(request).database.transact(lambda unit: find_email_code(unit, sign_in_id), read_only=True)
    if row is None or row.purpose != SIGN_IN:
        return redirect(request, "/sign-in", next=arrival.next)
    now = runtime_of(request).clock.now()
    if row.used_at is not None or row.expires_at <= now or row.attempts >= MOST_TRIES:
        reason = _why_over(row)
        return render(request, "code_over.html", status, email=row.email, next=arrival.next, reason=reason)
    wait = row.sent_at + RESEND_PAUSE - now
    return render(
        request,
        "code.html",
        status,
        email=row.email,
        next=arrival.next,
        error=error,
        tries_left=tries_left,
        wait_seconds=max(0, -(-wait // timedelta(seconds=1))),
        resent=request.query_params.get("resent"),
    )


def _why_over(row: EmailCode) -> str:
    if row.used_at is not None:
        return "used"
    return "spent" if row.attempts >= MOST_TRIES else "expired"


def _mail_away_page(request: Request, arrival: Arrival, email: str, away: MailAway) -> Response:
    return render(
        request,
        "mail_away.html",
        away.status,
        headers=away.headers,
        email=email,
        next=arrival.next,
        has_mail=runtime_of(request).mailer is not None,
    )


def _sign_in_id(request: Request) -> UUID | None:
    """Which sign-in this browser began."""
    cookie = read_cookie(request, _COOKIE)
    handle = runtime_of(request).sealer.open(_SIGN_IN_HANDLE, cookie) if cookie else None
    return handle.row_id if handle else None
