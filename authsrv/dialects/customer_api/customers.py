"""Who calls the Customer API: a customer whom the store allows it, and the four ways in which somebody is not."""

from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request

from authsrv.dialects.customer_api.voice import AccessDenied, NotAllowed
from authsrv.identity.stores import KnownStore
from authsrv.kit.errors import DomainError
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_membership
from authsrv.web.clients import look_up_client
from authsrv.web.guard import read_bearer, require
from authsrv.web.runtime import Runtime, runtime_of
from authsrv.web.store_hosts import get_store, prefix_of

# Any token for the whole server: a bare one, or one that an app got by logging the customer in.
_RESOURCE = ""
_NOT_ALLOWED = "The store does not allow this customer to use the Customer API."


@dataclass(frozen=True, slots=True)
class Caller:
    """A person whose token is good for this store; `may_call` tells whether the store lets them."""

    client_id: str
    user_id: UUID
    prefix: str

    def may_call(self, runtime: Runtime, unit: Unit) -> tuple[KnownStore, str]:
        """The store, and its name for this customer. Raises NotAllowed, whatever the token says."""
        store = get_store(runtime, unit, self.prefix)
        membership = find_membership(unit, store_id=store.id, user_id=self.user_id)
        if membership is None or not membership.may_use_customer_api:
            raise NotAllowed(_NOT_ALLOWED)
        return store, membership.customer_id


async def require_customer(request: Request, scope: str) -> Caller:
    """The caller, with `scope`, in the store that the request is for.

    Raises AccessDenied for an invalid token, `invalid_token` for an expired one, NotAllowed and `insufficient_scope`
    for one that does not reach here, `unauthorized` without any.
    """
    try:
        principal = await require(request, scope, _RESOURCE)
    except DomainError as refusal:
        if refusal.code == "unauthorized":
            raise await _explained(request, refusal) from None
        raise
    prefix = prefix_of(request)
    if principal.store != prefix:
        raise NotAllowed("This access token is for another store.")
    if principal.user_id is None:
        raise NotAllowed("This API is for customers: the access token belongs to nobody.")
    return Caller(principal.client_id, UUID(principal.user_id), prefix)


async def _explained(request: Request, refusal: DomainError) -> DomainError:
    """What is wrong with the credential, for which the guard has one word."""
    runtime = runtime_of(request)
    credential = read_bearer(request)
    if credential is None:
        return refusal
    token = runtime.server.tokens.recognise(credential)
    if token is None:
        return AccessDenied()
    if token.expires_at <= runtime.clock.time_ns() // 1_000_000_000:
        return DomainError("invalid_token", 401, "The access token expired", headers=refusal.headers)
    client = await look_up_client(runtime, token.client_id)
    return NotAllowed(_NOT_ALLOWED) if client is not None and client.is_suspended else AccessDenied()
