"""The authorization endpoint (RFC 6749, 3.1)."""

from starlette.requests import Request
from starlette.responses import Response

from authsrv.web.authorization_steps import answer_authorization, go_on
from authsrv.web.authorizing import authorize_path, read_pairs
from authsrv.web.forms import read_form
from authsrv.web.page import page


@page
async def authorize(request: Request) -> Response:
    """An app's request, by GET; one by POST is turned into a GET, to which the browser adds the session's cookie."""
    if request.method == "POST":
        # SameSite=Lax keeps the cookie from a POST that another site makes.
        return go_on(authorize_path(request, await read_form(request)))
    return await answer_authorization(request, read_pairs(request))
