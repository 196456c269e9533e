"""`POST /api/kiosk/token`: a form of `key` and `pass`, the kiosk's names for client credentials (RFC 6749, 4.4)."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from authsrv.kit.errors import DomainError
from authsrv.oauth.manners import Terms
from authsrv.web.forms import read_form
from authsrv.web.protocol import ask
from authsrv.web.responses import NO_STORE
from authsrv.web.runtime import runtime_of
from authsrv.web.token_requests import count_token_request

_PATH = "/api/kiosk/token"
_TERMS = Terms(grant_types=frozenset({"client_credentials"}), auth_methods=frozenset({"client_secret_post"}))
_NAMES = {"key": "client_id", "pass": "client_secret"}


async def token(request: Request) -> Response:
    """`token=…` and `seconds=…`, a line each."""
    sent = await read_form(request)
    form = [("grant_type", "client_credentials"), *((_NAMES.get(name, name), value) for name, value in sent)]
    await count_token_request(request, form)
    engine = runtime_of(request).server.answer_token_request
    status, body, _ = await ask(request, _PATH, engine, form, _TERMS)
    if status >= 400:
        raise DomainError(body["error"], status, body.get("error_description", ""))
    return PlainTextResponse(f"token={body['access_token']}\nseconds={body['expires_in']}\n", headers=NO_STORE)
