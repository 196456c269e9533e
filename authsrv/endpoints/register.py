"""Apps register themselves (RFC 7591, 3) and look after what they registered (RFC 7592, 2)."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from authsrv.kit.errors import DomainError
from authsrv.oauth.client_metadata import word_metadata
from authsrv.oauth.registering import Registered
from authsrv.web.context import context_of
from authsrv.web.guard import read_bearer
from authsrv.web.limits import address_key, note_allowance
from authsrv.web.responses import NO_STORE, JsonResponse
from authsrv.web.runtime import Runtime, runtime_of

_JSON = "application/json"
_PATH = "/oauth/register"


async def register(request: Request) -> Response:
    """`POST /oauth/register`: 201 with all that was registered, and what is shown now and never again."""
    runtime = runtime_of(request)
    if not runtime.registrar.is_closed:
        key = address_key(context_of(request).client_address)
        note_allowance(request, await runtime.limits.hit("registration_per_address", key))
    metadata, token = await _read_metadata(request), read_bearer(request)
    made = await runtime.database.transact(lambda unit: runtime.registrar.register(unit, metadata, token))
    return _answer(runtime, made, 201)


async def read(request: Request) -> Response:
    """`GET` of the client's own URL."""
    runtime, client_id, token = runtime_of(request), request.path_params["client_id"], read_bearer(request)
    found = await runtime.database.transact(lambda unit: runtime.registrar.open(unit, client_id, token), read_only=True)
    return _answer(runtime, found, 200)


async def change(request: Request) -> Response:
    """`PUT`: what is left out, is no more."""
    runtime, client_id, token = runtime_of(request), request.path_params["client_id"], read_bearer(request)
    metadata = await _read_metadata(request)
    # Each writes rows, as a registration does; counted for itself, so that neither uses up the other.
    key = f"{address_key(context_of(request).client_address)} {client_id}"
    note_allowance(request, await runtime.limits.hit("registration_per_address", key))
    changed = await runtime.database.transact(lambda unit: runtime.registrar.change(unit, client_id, token, metadata))
    return _answer(runtime, changed, 200)


async def remove(request: Request) -> Response:
    """`DELETE`."""
    runtime, client_id, token = runtime_of(request), request.path_params["client_id"], read_bearer(request)
    await runtime.database.transact(lambda unit: runtime.registrar.remove(unit, client_id, token))
    return Response(status_code=204, headers=NO_STORE)


def _answer(runtime: Runtime, registered: Registered, status: int) -> Response:
    """The client information response (RFC 7591, 3.2.1; RFC 7592, 3)."""
    client = registered.client
    body: dict[str, Any] = {
        "client_id": client.client_id,
        "client_id_issued_at": int(client.created_at.timestamp()),
        **word_metadata(client),
    }
    if registered.secret is not None:
        body |= {"client_secret": registered.secret, "client_secret_expires_at": 0}
    if registered.token is not None:
        body["registration_access_token"] = registered.token
        body["registration_client_uri"] = f"{runtime.settings.issuer}{_PATH}/{client.client_id}"
    return JsonResponse(body, status, NO_STORE)


async def _read_metadata(request: Request) -> Mapping[str, Any]:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != _JSON:
        raise DomainError("invalid_client_metadata", 415, f"The body must be {_JSON}.")
    try:
        metadata = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        raise DomainError("invalid_client_metadata", 400, "The body is not JSON.") from None
    if not isinstance(metadata, dict):
        raise DomainError("invalid_client_metadata", 400, "The body must be a JSON object.")
    return metadata
