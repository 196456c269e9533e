"""`/sign-out`: ends the session on the server, not only in the browser."""

from starlette.requests import Request
from starlette.responses import Response

from authsrv.storage.unit import Unit
from authsrv.web.page import page, read_page_form
from authsrv.web.runtime import runtime_of
from authsrv.web.sessions import clear_session_cookie, find_signed_in, session_cookie
from authsrv.web.templates import link, redirect, render


@page
async def ask_sign_out(request: Request) -> Response:
    person = await find_signed_in(request)
    if person is None:
        return render(request, "signed_out.html")
    return render(request, "sign_out.html", action=link(request, "/sign-out"), hidden={}, app_name=None)


@page
async def sign_out(request: Request) -> Response:
    await read_page_form(request)
    sessions = runtime_of(request).sessions

    def end(unit: Unit) -> None:
        if (person := sessions.find(unit, session_cookie(request))) is not None:
            sessions.end(unit, person.session_id, person.user_id)

    await runtime_of(request).database.transact(end)
    response = redirect(request, "/sign-out")
    clear_session_cookie(response, request)
    return response
