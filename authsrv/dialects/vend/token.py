"""`POST /api/1.0/token` on the store's own host: a code or a refresh token for tokens (RFC 6749, 4.1.3 and 6)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from authsrv.dialects.vend.stores import store_of
from authsrv.dialects.vend.voice import dated
from authsrv.kit.errors import DomainError
from authsrv.oauth.manners import Terms
from authsrv.storage.unit import Unit
from authsrv.web.forms import read_form
from authsrv.web.protocol import ask
from authsrv.web.responses import protocol_response
from authsrv.web.runtime import runtime_of
from authsrv.web.token_requests import count_token_request

_PATH = "/api/1.0/token"
_DAY_SECONDS = 86_400
# The fields of the answer in the document's order; `scope` is ours, since none need be asked for (RFC 6749, 5.1).
_FIELDS = ("access_token", "token_type", "expires", "expires_in", "refresh_token", "scope")


@dated
async def token(request: Request) -> Response:
    """Tokens for a grant in this very store."""
    if request.scope["query_string"]:
        raise DomainError("invalid_request", 400, "Parameters are sent in the body, never in the query.")
    form = await read_form(request)
    await count_token_request(request, form)
    runtime = runtime_of(request)
    terms = await runtime.database.transact(lambda unit: _terms(request, unit), read_only=True)
    status, body, headers = await ask(request, _PATH, runtime.server.answer_token_request, form, terms)
    return protocol_response(status, _reworded(body), headers)


def _terms(request: Request, unit: Unit) -> Terms:
    store = store_of(request, unit)
    return Terms(
        store_id=store.id,
        store=store.prefix,
        needs_pkce=False,
        grant_types=frozenset({"authorization_code", "refresh_token"}),
        auth_methods=frozenset({"client_secret_post"}),
        access_seconds=_DAY_SECONDS,
        expiry_field="expires",
        with_id_token=False,
    )


def _reworded(body: dict[str, Any]) -> dict[str, Any]:
    if "error" in body:
        return body
    return {name: body[name] for name in _FIELDS if name in body}
