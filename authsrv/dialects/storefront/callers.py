"""Who calls: the person of a bearer token, the holder of a cart's token, both, or anybody."""

from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request

from authsrv.identity.principals import Principal
from authsrv.kit.errors import DomainError
from authsrv.shop.carts import Bearer, open_cart_token
from authsrv.web.context import context_of
from authsrv.web.guard import require
from authsrv.web.limits import address_key, note_allowance
from authsrv.web.runtime import runtime_of
from authsrv.web.store_hosts import prefix_of

# The document's own, and the one its clients sent before.
ORDER_TOKEN_HEADERS = ("X-Vendo-Order-Token", "X-Spree-Order-Token")
# The whole server: these paths are no resource with metadata of its own.
_RESOURCE = ""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in, and the client they are signed in with."""

    user_id: UUID
    client_id: str


async def get_person(request: Request, scope: str) -> Person:
    """The person of the bearer token. Raises `unauthorized`, `insufficient_scope`, RateLimited, Unavailable."""
    principal = await require(request, scope, _RESOURCE)
    person = _person_of(request, principal)
    if person is None:
        raise DomainError("insufficient_scope", 403, "This needs the token of a person.")
    await _count(request, f"person {prefix_of(request)} {person.user_id}")
    return person


async def find_person(request: Request, scope: str) -> Person | None:
    """The same where nobody has to be signed in; a token that is sent has to be good all the same."""
    if "authorization" not in request.headers:
        return None
    return _person_of(request, await require(request, scope, _RESOURCE))


async def find_caller(request: Request, scope: str) -> Person | None:
    """Whoever it is, counted. Raises RateLimited."""
    person = await find_person(request, scope)
    who = f"person {prefix_of(request)} {person.user_id}" if person else _address(request)
    await _count(request, who)
    return person


async def get_bearer(request: Request) -> tuple[Bearer, Person | None]:
    """Who comes for a cart. Raises `unauthorized` for neither token, or one that is none."""
    person = await find_person(request, "cart")
    text = next((request.headers[name] for name in ORDER_TOKEN_HEADERS if name in request.headers), None)
    cart_id = open_cart_token(runtime_of(request).sealer, text) if text is not None else None
    if text is not None and cart_id is None:
        await _count(request, _address(request))
        raise DomainError("unauthorized", 401, "The order token is none.")
    if cart_id is None and person is None:
        raise DomainError(
            "unauthorized", 401, f"An access token is needed, or an order token in {ORDER_TOKEN_HEADERS[0]}."
        )
    await _count(request, f"person {prefix_of(request)} {person.user_id}" if person else f"cart {cart_id}")
    return Bearer(cart_id, person.user_id if person else None), person


def _person_of(request: Request, principal: Principal) -> Person | None:
    # On the issuer's own host the store is the default one, whichever store the token is for.
    if principal.store != prefix_of(request):
        raise DomainError("insufficient_scope", 403, "This credential is not for this store.")
    return Person(UUID(principal.user_id), principal.client_id) if principal.user_id else None


def _address(request: Request) -> str:
    return f"address {address_key(context_of(request).client_address)}"


async def _count(request: Request, who: str) -> None:
    note_allowance(request, await runtime_of(request).limits.hit("api_per_credential", who))
