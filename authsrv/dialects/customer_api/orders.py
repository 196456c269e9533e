"""`/api/customer/orders`: a customer sends an order, and lists their own."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from authsrv.dialects.customer_api.answers import CompressedJson
from authsrv.dialects.customer_api.customers import require_customer
from authsrv.dialects.customer_api.listing import read_listing
from authsrv.dialects.customer_api.schemas import order_out, read_order
from authsrv.dialects.customer_api.transport import read_json, transported
from authsrv.kit.errors import DomainError
from authsrv.shop.coded import items_of
from authsrv.shop.orders import Listing, OrderPage, PlacedOrder, WantedOrder, get_order, list_page, place_order
from authsrv.shop.payment import ON_ACCOUNT
from authsrv.storage.products import list_codes
from authsrv.storage.unit import Unit
from authsrv.web.runtime import runtime_of
from authsrv.web.urls import own_url

# The shop knows where its customer is, and sends an invoice.
_NO_ADDRESS = dict.fromkeys(("street", "city", "state", "zip", "country"), "")


@transported
async def send(request: Request) -> Response:
    """201 with the order, at the customer's own prices."""
    caller = await require_customer(request, "orders:write")
    items, note = read_order(await read_json(request))
    runtime = runtime_of(request)

    def work(unit: Unit) -> dict[str, Any]:
        store, customer_id = caller.may_call(runtime, unit)
        try:
            wanted = WantedOrder(customer_id, items_of(unit, store, items), _NO_ADDRESS, ON_ACCOUNT, note=note)
            order = place_order(unit, store, wanted, placed_by=caller.client_id, person=caller.user_id)
        except DomainError as refusal:
            raise _in_own_words(refusal) from None
        placed = get_order(unit, store, str(order.id), person=None)
        return order_out(placed, _codes(unit, [placed]))

    return CompressedJson(await runtime.database.transact(work), 201)


@transported
async def list_all(request: Request) -> Response:
    """A bare array, newest first; beyond five hundred, X-Total-Count and Link lead on."""
    caller = await require_customer(request, "orders:read")
    limit, after = read_listing(request)
    runtime = runtime_of(request)

    def work(unit: Unit) -> tuple[OrderPage, list[dict[str, Any]]]:
        store, customer_id = caller.may_call(runtime, unit)
        listing = Listing(customer_id=customer_id, status=None, after=after, offset=0, limit=limit)
        # Nobody's reach but the customer's own, also for who works in the store.
        page = list_page(unit, store, listing, person=None)
        codes = _codes(unit, page.orders)
        return page, [order_out(placed, codes) for placed in page.orders]

    page, orders = await runtime.database.transact(work, read_only=True)
    headers = {"X-Total-Count": str(page.total)}
    if page.last is not None:
        following = urlencode({"limit": limit, "after": page.last})
        headers["Link"] = f'<{own_url(request, f"/api/customer/orders?{following}")}>; rel="next"'
    return CompressedJson(orders, headers=headers)


def _codes(unit: Unit, orders: Sequence[PlacedOrder]) -> dict[UUID, str]:
    return list_codes(unit, {line.product_row_id for placed in orders for line in placed.lines})


def _in_own_words(refusal: DomainError) -> DomainError:
    """The shop names the fields of its own orders; what is wrong is the same."""
    if refusal.code != "invalid_parameter":
        return refusal
    said = refusal.description.replace("items[", "products[").replace(".product_id ", ".code ")
    return DomainError(refusal.code, refusal.status, said)
