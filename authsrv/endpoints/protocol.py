"""From HTTP to the engine and back: what the token, revocation and introspection endpoints have in common."""

from collections.abc import Callable
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from authsrv.kit.errors import DomainError
from authsrv.oauth.requests import ProtocolRequest
from authsrv.oauth.server import Answer
from authsrv.storage.unit import Unit
from authsrv.web.forms import read_form
from authsrv.web.responses import protocol_response
from authsrv.web.runtime import runtime_of

Engine: TypeAlias = Callable[[Callable[[], ProtocolRequest]], Answer]

# RFC 6749, 2.3.1: never in the URL, where logs and referrers pick them up.
_NEVER_IN_THE_URL = frozenset({"client_secret", "client_assertion", "code", "refresh_token", "token", "password"})


async def answer(request: Request, path: str, engine: Engine) -> Response:
    """Reads the form, runs the engine below the seam, and makes HTTP of its answer once it is committed."""
    runtime = runtime_of(request)
    if request.url.query and not _NEVER_IN_THE_URL.isdisjoint(request.query_params):
        raise DomainError("invalid_request", 400, "Credentials must be sent in the body or the Authorization header.")
    form = await read_form(request)
    await runtime.ensure_fresh()
    # The URL comes from the issuer setting: what the socket or a Host header says is hearsay.
    uri = runtime.settings.issuer + path

    def work(unit: Unit) -> Answer:
        return engine(lambda: ProtocolRequest(unit, method=request.method, uri=uri, headers=request.headers, form=form))

    return protocol_response(*await runtime.database.transact(work))
