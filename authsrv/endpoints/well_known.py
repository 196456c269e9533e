"""Discovery and keys (RFC 8414, OIDC Discovery 1.0, RFC 9728, RFC 7517)."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from authsrv.oauth.metadata import openid_metadata, resource_metadata, server_metadata
from authsrv.web.responses import JsonResponse
from authsrv.web.runtime import Runtime, runtime_of


async def authorization_server(request: Request) -> Response:
    """RFC 8414, 3."""
    runtime = runtime_of(request)
    path = request.path_params.get("path")
    # What stands behind the well-known part is the issuer's path: another one names another issuer (RFC 8414, 3.1).
    if path is not None and f"/{path}" != runtime.settings.issuer_path:
        raise HTTPException(404)
    metadata = server_metadata(runtime.server, _open_paths(runtime), takes_documents=runtime.settings.cimd)
    return _cached(runtime, JsonResponse(metadata))


async def openid_configuration(request: Request) -> Response:
    """OpenID Connect Discovery 1.0, 4."""
    runtime = runtime_of(request)
    metadata = openid_metadata(
        runtime.server,
        runtime.keyring,
        _open_paths(runtime),
        runtime.stationery.texts.tags,
        takes_documents=runtime.settings.cimd,
    )
    return _cached(runtime, JsonResponse(metadata))


async def protected_resource(request: Request) -> Response:
    """RFC 9728, 3: the server as a whole, or the API at the path behind."""
    runtime = runtime_of(request)
    path = request.path_params.get("path", "")
    path = f"/{path}" if path else ""
    if path and path not in runtime.server.scopes.resources:
        raise HTTPException(404)
    return _cached(runtime, JsonResponse(resource_metadata(runtime.server, path)))


async def jwks(request: Request) -> Response:
    """RFC 7517, 5."""
    runtime = runtime_of(request)
    return _cached(runtime, Response(runtime.keyring.jwks(), media_type="application/jwk-set+json"))


def _open_paths(runtime: Runtime) -> dict[str, str]:
    """A door that is locked is not shown."""
    locked = {"registration_endpoint"} if runtime.registrar.is_closed else set()
    return {name: path for name, path in runtime.metadata_paths.items() if name not in locked}


def _cached(runtime: Runtime, response: Response) -> Response:
    # Kept without what the gate adds for scripts, it would be of no use to them (Fetch, 3.3.5).
    response.headers["Vary"] = "Origin"
    response.headers["Cache-Control"] = f"public, max-age={runtime.settings.keys.jwks_max_age_seconds}"
    return response
