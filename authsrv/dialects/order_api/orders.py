"""The Order API's doors: place an order, read, change and cancel one, list them."""

from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from authsrv.dialects.order_api.repeats import once, read_key
from authsrv.dialects.order_api.schemas import changed, created, read_change, read_order, whole
from authsrv.identity.principals import Principal
from authsrv.identity.stores import KnownStore
from authsrv.kit.errors import DomainError
from authsrv.kit.identifiers import parse_uuid
from authsrv.shop.orders import (
    STATUSES,
    Listing,
    OrderPage,
    PlacedOrder,
    cancel_order,
    change_order,
    get_order,
    list_page,
    place_order,
)
from authsrv.storage.orders import Order
from authsrv.storage.unit import Unit
from authsrv.web.guard import require
from authsrv.web.responses import NO_STORE, JsonResponse
from authsrv.web.runtime import Runtime, runtime_of

_RESOURCE = "/orders"
_LIMIT = 20
_LARGEST_LIMIT = 100
_LAST_PAGE = 100_000


async def create(request: Request) -> Response:
    """`POST /orders`: 201 with the order's id, status and time; once for one Idempotency-Key."""
    principal = await require(request, "orders:write", _RESOURCE)
    body = await _json_body(request)
    wanted = read_order(body, principal.user_id)
    runtime = runtime_of(request)
    key = read_key(request, principal, body)

    def work(unit: Unit) -> dict[str, Any]:
        def place() -> dict[str, Any]:
            store = _store(runtime, unit, principal)
            return created(place_order(unit, store, wanted, placed_by=principal.client_id))

        return once(unit, key, place) if key else place()

    return _answer(await runtime.database.transact(work), 201)


async def update(request: Request) -> Response:
    """`PUT /orders/{order_id}`: status and address, each if it is sent."""
    principal = await require(request, "orders:write", _RESOURCE)
    change = read_change(await _json_body(request), is_customer=principal.user_id is not None)
    runtime = runtime_of(request)

    def work(unit: Unit) -> Order:
        store = _store(runtime, unit, principal)
        return change_order(unit, store, request.path_params["order_id"], change, customer_id=principal.user_id)

    return _answer(changed(await runtime.database.transact(work)))


async def cancel(request: Request) -> Response:
    """`DELETE /orders/{order_id}`: 200 with a body."""
    principal = await require(request, "orders:write", _RESOURCE)
    runtime = runtime_of(request)

    def work(unit: Unit) -> Order:
        store = _store(runtime, unit, principal)
        return cancel_order(unit, store, request.path_params["order_id"], customer_id=principal.user_id)

    return _answer(changed(await runtime.database.transact(work)))


async def read(request: Request) -> Response:
    """`GET /orders/{order_id}`."""
    principal = await require(request, "orders:read", _RESOURCE)
    runtime = runtime_of(request)

    def work(unit: Unit) -> PlacedOrder:
        store = _store(runtime, unit, principal)
        return get_order(unit, store, request.path_params["order_id"], customer_id=principal.user_id)

    return _answer(whole(await runtime.database.transact(work, read_only=True)))


async def list_all(request: Request) -> Response:
    """`GET /orders?customer_id&status&page&limit`: a bare array, newest first, with X-Total-Count and Link."""
    principal = await require(request, "orders:read", _RESOURCE)
    runtime = runtime_of(request)
    listing = _read_listing(request, principal)

    def work(unit: Unit) -> OrderPage:
        return list_page(unit, _store(runtime, unit, principal), listing)

    page = await runtime.database.transact(work, read_only=True)
    headers = {"X-Total-Count": str(page.total)}
    if page.last is not None:
        headers["Link"] = f'<{_next_url(request, runtime, listing, str(page.last))}>; rel="next"'
    return _answer([whole(order) for order in page.orders], headers=headers)


async def _json_body(request: Request) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise DomainError("unsupported_media_type", 415, "The body must be application/json.")
    return await request.body()


def _store(runtime: Runtime, unit: Unit, principal: Principal) -> KnownStore:
    store = runtime.stores.find(unit, principal.store or "")
    if store is None:
        raise DomainError("not_found", 404, "There is no such store.")
    return store


def _read_listing(request: Request, principal: Principal) -> Listing:
    query = request.query_params
    customer_id = query.get("customer_id") or None
    if customer_id is not None and "\0" in customer_id:
        # PostgreSQL refuses NUL in text.
        raise DomainError("invalid_parameter", 400, "customer_id must not contain control characters.")
    if principal.user_id is not None and customer_id not in {None, principal.user_id}:
        raise DomainError("invalid_parameter", 400, "customer_id is not the customer this access token belongs to.")
    if customer_id is not None and "\0" in customer_id:
        # PostgreSQL has no such text.
        raise DomainError("invalid_parameter", 400, "customer_id must not contain control characters.")
    status = query.get("status") or None
    if status not in {None, *STATUSES}:
        raise DomainError("invalid_parameter", 400, f"status must be one of {', '.join(STATUSES)}.")
    after = query.get("after")
    after_id = parse_uuid(after) if after else None
    if after and after_id is None:
        raise DomainError("invalid_parameter", 400, "after must be an order_id.")
    limit = _read_number(query.get("limit"), "limit", default=_LIMIT, largest=_LARGEST_LIMIT)
    page = _read_number(query.get("page"), "page", default=1, largest=_LAST_PAGE)
    return Listing(principal.user_id or customer_id, status, after_id, (page - 1) * limit, limit)


def _read_number(text: str | None, name: str, *, default: int, largest: int) -> int:
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= largest):
        raise DomainError("invalid_parameter", 400, f"{name} must be a number from 1 to {largest}.")
    return int(text)


def _next_url(request: Request, runtime: Runtime, listing: Listing, after: str) -> str:
    """The next page by keyset: it neither skips nor repeats while orders arrive (RFC 8288)."""
    kept = {name: request.query_params.get(name) for name in ("customer_id", "status")}
    query = {name: value for name, value in kept.items() if value} | {"limit": str(listing.limit), "after": after}
    return f"{runtime.settings.issuer}{_RESOURCE}?{urlencode(query)}"


def _answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return JsonResponse(body, status, {**(headers or {}), **NO_STORE})
