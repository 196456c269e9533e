"""From HTTP to the engine and back: what every door has in common that speaks the protocol, in whatever words."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from authsrv.kit.errors import DomainError
from authsrv.oauth.client_assertion import METHOD, read_assertion
from authsrv.oauth.client_authentication import Proof
from authsrv.oauth.manners import STANDARD_TERMS, Terms
from authsrv.oauth.requests import ProtocolRequest
from authsrv.oauth.server import Answer
from authsrv.storage.unit import Unit
from authsrv.web.clients import look_up_client
from authsrv.web.context import values_of
from authsrv.web.forms import Form, read_form
from authsrv.web.responses import protocol_response
from authsrv.web.runtime import Runtime, runtime_of
from authsrv.web.usage import note_refusal

_PROOF = "authsrv.proof"
Engine: TypeAlias = Callable[[Callable[[], ProtocolRequest]], Answer]

# RFC 6749, 2.3.1: never in the URL, where logs and referrers pick them up.
_NEVER_IN_THE_URL = frozenset({"client_secret", "client_assertion", "code", "refresh_token", "token", "password"})


async def answer(
    request: Request, path: str, engine: Engine, form: Form | None = None, *, from_memory: bool = False
) -> Response:
    """Reads the form, if nobody has, asks the engine, and makes HTTP of what it committed (RFC 6749, 5)."""
    form = await read_form(request) if form is None else form
    return protocol_response(*await ask(request, path, engine, form, from_memory=from_memory))


async def ask(
    request: Request,
    path: str,
    engine: Engine,
    form: Form,
    terms: Terms = STANDARD_TERMS,
    *,
    from_memory: bool = False,
) -> Answer:
    """Runs the engine below the seam; what it answered, for the door to word. `terms` are the door's own.

    `from_memory`: what a warm process answers without the database.
    """
    runtime = runtime_of(request)
    if request.scope["query_string"] and not _NEVER_IN_THE_URL.isdisjoint(request.query_params):
        raise DomainError("invalid_request", 400, "Credentials must be sent in the body or the Authorization header.")
    headers = authorization_of(request)
    await runtime.ensure_fresh()
    await prepare(runtime, form)
    # The URL comes from the issuer setting: what the socket or a Host header says is hearsay.
    uri = runtime.settings.issuer + path

    def work(unit: Unit) -> Answer:
        def make() -> ProtocolRequest:
            proof = request.scope.get(_PROOF)
            return ProtocolRequest(
                unit, method=request.method, uri=uri, headers=headers, form=form, terms=terms, proof=proof
            )

        return engine(make)

    # An assertion is used up by a statement; to verify it twice would cost more than is saved.
    asserts = any(name == "client_assertion" for name, _ in form)
    answered = await runtime.database.transact(work, tries_without=from_memory and not asserts)
    status, body, _ = answered
    if status >= 400:
        note_refusal(request.scope, body["error"])
    return answered


def authorization_of(request: Request) -> dict[str, str]:
    """The one header that the protocol reads, if it was sent.

    Raises DomainError 400 for two of them: not more than one method in a request (RFC 6749, 2.3).
    """
    sent = values_of(request, b"authorization")
    if len(sent) > 1:
        raise DomainError("invalid_request", 400, "Only one Authorization header may be sent.")
    return {"authorization": sent[0].decode("latin-1")} if sent else {}


def note_proof(scope: Scope, proof: Proof) -> None:
    """How the client of this request authenticates, which is judged but once."""
    scope[_PROOF] = proof


async def prepare(runtime: Runtime, form: Sequence[tuple[str, str]]) -> None:
    """What the engine will need and may not wait for: the keys of a client that publishes them itself."""
    fields = {name: value for name, value in form if value}
    assertion = read_assertion(fields) if "client_assertion" in fields else None
    if assertion is None:
        return
    client = await look_up_client(runtime, assertion.client_id)
    if client is not None and client.check_endpoint_auth_method(METHOD, "token") and not client.is_suspended:
        await runtime.server.assertions.keys.prepare(client, assertion.kid)
