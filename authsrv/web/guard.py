"""Who may call a resource: the bearer token in its header, judged, and the refusals of RFC 6750."""

from starlette.requests import Request

from authsrv.identity.api_keys import KEY_PREFIX
from authsrv.identity.principals import LookUp, Principal
from authsrv.kit.errors import CredentialMissing, DomainError
from authsrv.oauth.clients import RegisteredClient
from authsrv.web.clients import look_up_client
from authsrv.web.context import context_of, values_of
from authsrv.web.limits import address_key, note_allowance
from authsrv.web.runtime import Runtime, runtime_of
from authsrv.web.usage import API, note_use


async def require(request: Request, scope: str | None, resource: str, *, needs_store: bool = True) -> Principal:
    """The caller, if it may use `scope`, where one is asked for, on the API at `resource`.

    Raises `unauthorized` (401) without a living credential for this API, `insufficient_scope` (403) without the scope
    or outside the credential's store, RateLimited (429), Unavailable when revocations cannot be known.
    """
    runtime = runtime_of(request)
    credential = read_bearer(request)
    if credential is None:
        # RFC 6750, 3.1: without a token, no error code in the challenge.
        raise CredentialMissing("An access token is needed.", _challenge(runtime, resource))
    await runtime.ensure_fresh()
    principal = await _find(request, runtime, credential)
    issuer = runtime.settings.issuer
    # RFC 9068, 4: a token for another audience is as good as none.
    if principal is None or principal.audiences.isdisjoint({issuer, issuer + resource}):
        raise unauthorized(runtime, resource)
    if needs_store:
        note_use(request.scope, principal.client_id, API)
        client = await _count(request, runtime, principal)
        # A service acts where it belongs now, whatever a process that had not heard wrote into its token.
        if client is not None and principal.is_service and client.store != principal.store:
            raise unauthorized(runtime, resource)
    if scope is not None and scope not in principal.scopes:
        raise forbidden(runtime, resource, f"This needs the scope {scope}.", scope)
    asked_store = context_of(request).store
    if needs_store and (principal.store is None or asked_store not in {None, principal.store}):
        raise forbidden(runtime, resource, "This credential is not for this store.", scope)
    return principal


async def _find(request: Request, runtime: Runtime, credential: str) -> Principal | None:
    found = runtime.principals.find(credential)
    if not isinstance(found, LookUp):
        return found
    # Whoever makes keys up, checksum and all, asks the database no oftener than this.
    address = address_key(context_of(request).client_address)
    await runtime.limits.hit("api_per_credential", f"address {address}")
    return await runtime.database.transact(found.find, read_only=True)


async def _count(request: Request, runtime: Runtime, principal: Principal) -> RegisteredClient | None:
    """Counts the call for its credential in its store; the client, where it is one. Raises RateLimited."""
    # An API key is no client, and has no limit of its own.
    is_key = principal.client_id.startswith(KEY_PREFIX)
    client = None if is_key else await look_up_client(runtime, principal.client_id)
    key = f"{principal.client_id} {principal.store or ''}"
    allowance = await runtime.limits.hit("api_per_credential", key, client.api_limit if client else None)
    note_allowance(request, allowance)
    return client


def read_bearer(request: Request) -> str | None:
    """The token of the one Authorization header; never of the query (RFC 9700, 4.3.2)."""
    values = values_of(request, b"authorization")
    if len(values) != 1:
        return None
    scheme, _, token = values[0].decode("latin-1").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _challenge(runtime: Runtime, resource: str, **parts: str | None) -> dict[str, str]:
    """RFC 6750, 3, with the way to the metadata (RFC 9728, 5.1)."""
    metadata = f"{runtime.settings.issuer}/.well-known/oauth-protected-resource{resource}"
    said = {"realm": "authsrv", **parts, "resource_metadata": metadata}
    return {"WWW-Authenticate": "Bearer " + ", ".join(f'{name}="{text}"' for name, text in said.items() if text)}


def unauthorized(runtime: Runtime, resource: str) -> DomainError:
    """The refusal of a token that is none here (RFC 6750, 3.1)."""
    description = "The access token is invalid or has expired."
    headers = _challenge(runtime, resource, error="invalid_token", error_description=description)
    return DomainError("unauthorized", 401, description, headers=headers)


def forbidden(runtime: Runtime, resource: str, description: str, scope: str | None) -> DomainError:
    """The refusal of a token that may not do this (RFC 6750, 3.1)."""
    headers = _challenge(runtime, resource, error="insufficient_scope", error_description=description, scope=scope)
    return DomainError("insufficient_scope", 403, description, headers=headers)
