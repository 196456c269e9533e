"""`/checkout`: where it goes and how it is paid, and then the order."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from starlette.requests import Request
from starlette.responses import Response

from authsrv.dialects.storefront.answers import answer
from authsrv.dialects.storefront.baskets import Basket, basket_of_order, basket_resource
from authsrv.dialects.storefront.bodies import Body, Filled, Line, ShortLine, Zip, read_body
from authsrv.dialects.storefront.callers import get_bearer
from authsrv.dialects.storefront.cart import respond
from authsrv.dialects.storefront.display import locale_of
from authsrv.dialects.storefront.documents import document, wishes_of
from authsrv.dialects.storefront.shop_client import client_id_of
from authsrv.identity.emails import normal_email
from authsrv.kit.errors import DomainError
from authsrv.shop.carts import Details, complete_cart, set_details
from authsrv.shop.catalog import offers_by_id
from authsrv.shop.countries import known_countries
from authsrv.shop.orders import PlacedOrder
from authsrv.storage.orders import list_lines
from authsrv.storage.unit import Unit
from authsrv.web.runtime import runtime_of
from authsrv.web.store_hosts import get_store, prefix_of


def _is_country(code: str) -> str:
    if code.upper() not in known_countries():
        raise ValueError("is not an ISO 3166 country code")
    return code.upper()


def _is_email(text: str) -> str:
    try:
        return normal_email(text)
    except DomainError as fault:
        raise ValueError(fault.description) from None


def _keepable(text: str) -> str:
    # The one character that PostgreSQL cannot keep; lines may be as many as they are.
    return text.replace("\0", "")


_Method = Literal["credit_card", "paypal"]


class _Address(Body):
    firstname: ShortLine = ""
    lastname: ShortLine = ""
    company: ShortLine = ""
    address1: Filled
    address2: Line = ""
    city: Filled
    state_name: ShortLine = ""
    zipcode: Zip = ""
    phone: ShortLine = ""
    country_iso: Annotated[str, AfterValidator(_is_country)]


class _Payment(Body):
    payment_method_id: _Method


class _Order(Body):
    email: Annotated[str, Field(max_length=400), AfterValidator(_is_email)] | None = None
    ship_address_attributes: _Address | None = None
    bill_address_attributes: _Address | None = None
    payment_method: _Method | None = None
    payments_attributes: list[_Payment] = Field(default_factory=list, max_length=1)
    special_instructions: Annotated[str, Field(max_length=1000), AfterValidator(_keepable)] | None = None


class _Checkout(Body):
    order: _Order = _Order()


async def update(request: Request) -> Response:
    """`PATCH /checkout`: whatever of it is sent; the rest stays."""
    bearer, _ = await get_bearer(request)
    order = (await read_body(request, _Checkout)).order
    paid = order.payments_attributes[0].payment_method_id if order.payments_attributes else order.payment_method
    details = Details(
        email=order.email,
        ship_address=order.ship_address_attributes.model_dump() if order.ship_address_attributes else None,
        bill_address=order.bill_address_attributes.model_dump() if order.bill_address_attributes else None,
        payment_method=paid,
        special_instructions=order.special_instructions,
    )
    return await respond(request, lambda unit, store: set_details(unit, store, bearer, details))


async def complete(request: Request) -> Response:
    """`PATCH /checkout/complete`: the order, under its own id; the cart's token is spent."""
    bearer, person = await get_bearer(request)
    runtime, locale, wishes = runtime_of(request), locale_of(request), await wishes_of(request)
    placed_by = person.client_id if person else client_id_of(prefix_of(request))

    def work(unit: Unit) -> Basket:
        store = get_store(runtime, unit, prefix_of(request))
        cart, order = complete_cart(unit, store, bearer, placed_by=placed_by)
        placed = PlacedOrder(order, list_lines(unit, [order.id])[order.id])
        ids = [line.product_row_id for line in placed.lines]
        offers = offers_by_id(unit, store, ids, person=cart.user_id)
        return basket_of_order(placed, cart, offers, user_id=cart.user_id, email=cart.email)

    basket = await runtime.database.transact(work)
    return answer(document(basket_resource(basket, locale), wishes))
