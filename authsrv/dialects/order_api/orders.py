"""The Order API's doors: place an order, read, change and cancel one, list them."""

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from authsrv.dialects.order_api.listing import next_url, read_listing
from authsrv.dialects.order_api.repeats import once, read_key
from authsrv.dialects.order_api.schemas import changed, created, read_change, read_order, whole
from authsrv.identity.principals import Principal
from authsrv.identity.stores import KnownStore
from authsrv.kit.errors import DomainError
from authsrv.shop.orders import (
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


async def create(request: Request) -> Response:
    """`POST /orders`: 201 with the order's id, status and time; once for one Idempotency-Key."""
    principal = await require(request, "orders:write", _RESOURCE)
    body = await _json_body(request)
    wanted = read_order(body)
    runtime = runtime_of(request)
    key = read_key(request, principal, body)

    def work(unit: Unit) -> dict[str, Any]:
        def place() -> dict[str, Any]:
            store = _store(runtime, unit, principal)
            return created(place_order(unit, store, wanted, placed_by=principal.client_id, person=_person(principal)))

        return once(unit, key, place) if key else place()

    return _answer(await runtime.database.transact(work), 201)


async def update(request: Request) -> Response:
    """`PUT /orders/{order_id}`: status and address, each if it is sent."""
    principal = await require(request, "orders:write", _RESOURCE)
    change = read_change(await _json_body(request))
    runtime = runtime_of(request)

    def work(unit: Unit) -> Order:
        store = _store(runtime, unit, principal)
        return change_order(unit, store, request.path_params["order_id"], change, person=_person(principal))

    return _answer(changed(await runtime.database.transact(work)))


async def cancel(request: Request) -> Response:
    """`DELETE /orders/{order_id}`: 200 with a body."""
    principal = await require(request, "orders:write", _RESOURCE)
    runtime = runtime_of(request)

    def work(unit: Unit) -> Order:
        store = _store(runtime, unit, principal)
        return cancel_order(unit, store, request.path_params["order_id"], person=_person(principal))

    return _answer(changed(await runtime.database.transact(work)))


async def read(request: Request) -> Response:
    """`GET /orders/{order_id}`."""
    principal = await require(request, "orders:read", _RESOURCE)
    runtime = runtime_of(request)

    def work(unit: Unit) -> PlacedOrder:
        store = _store(runtime, unit, principal)
        return get_order(unit, store, request.path_params["order_id"], person=_person(principal))

    return _answer(whole(await runtime.database.transact(work, read_only=True)))


async def list_all(request: Request) -> Response:
    """`GET /orders?customer_id&status&page&limit`: a bare array, newest first, with X-Total-Count and Link."""
    principal = await require(request, "orders:read", _RESOURCE)
    runtime = runtime_of(request)
    listing = read_listing(request)

    def work(unit: Unit) -> OrderPage:
        store = _store(runtime, unit, principal)
        return list_page(unit, store, listing, person=_person(principal))

    page = await runtime.database.transact(work, read_only=True)
    headers = {"X-Total-Count": str(page.total)}
    if page.last is not None:
        headers["Link"] = f'<{next_url(request, listing, page.last)}>; rel="next"'
    return _answer([whole(order) for order in page.orders], headers=headers)


async def _json_body(request: Request) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise DomainError("unsupported_media_type", 415, "The body must be application/json.")
    return await request.body()


def _person(principal: Principal) -> UUID | None:
    """Who stands behind the credential; None behind a service's or a key's, which open all the store's orders."""
    return UUID(principal.user_id) if principal.user_id else None


def _store(runtime: Runtime, unit: Unit, principal: Principal) -> KnownStore:
    store = runtime.stores.find(unit, principal.store or "")
    if store is None:
        raise DomainError("not_found", 404, "There is no such store.")
    return store


def _answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return JsonResponse(body, status, {**(headers or {}), **NO_STORE})
