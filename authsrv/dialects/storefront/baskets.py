"""Carts and orders as one kind of resource: to its clients an order is a cart whose `state` is `complete`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from authsrv.dialects.storefront.display import plain, shown
from authsrv.dialects.storefront.documents import Name, Resource
from authsrv.dialects.storefront.goods import variant_resource
from authsrv.dialects.storefront.people import address_resource
from authsrv.shop.carts import FilledCart
from authsrv.shop.catalog import Offer
from authsrv.shop.events import timestamp
from authsrv.shop.orders import PlacedOrder
from authsrv.shop.payment import payment_status
from authsrv.storage.carts import Cart

# An order's status → how far its parcel is, and what is known of its payment → how that is called here.
_SHIPMENTS = {
    "pending": "pending",
    "processing": "ready",
    "shipped": "shipped",
    "delivered": "shipped",
    "cancelled": "canceled",
}
_PAYMENTS = {"pending": "balance_due", "paid": "paid", "cancelled": "void"}
_NOTHING = 0


@dataclass(frozen=True, slots=True)
class Line:
    """So many of a product, and what one of it costs or cost."""

    id: str
    product_id: str
    name: str
    quantity: int
    price_minor: int
    offer: Offer | None


@dataclass(frozen=True, slots=True)
class Basket:
    """What a cart and an order have in common. `token` is empty where nobody may have it any more."""

    id: UUID
    number: str
    state: str
    token: str | None
    email: str | None
    currency: str
    lines: Sequence[Line]
    user_id: UUID | None
    ship_address: Mapping[str, str] | None
    bill_address: Mapping[str, str] | None
    special_instructions: str | None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None = None
    shipment_state: str | None = None
    payment_state: str | None = None

    @property
    def total_minor(self) -> int:
        return sum(line.price_minor * line.quantity for line in self.lines)


def basket_of_cart(filled: FilledCart, token: str) -> Basket:
    """What is in a cart now."""
    cart = filled.cart
    lines = [
        Line(
            id=str(item.line.id),
            product_id=item.product.product_id,
            name=item.product.name,
            quantity=item.line.quantity,
            price_minor=item.price_minor,
            offer=Offer(item.product, item.price_minor),
        )
        for item in filled.items
    ]
    return Basket(
        id=cart.id,
        number=cart.number,
        state=_state(cart),
        token=token,
        email=cart.email,
        currency=cart.currency,
        lines=lines,
        user_id=cart.user_id,
        ship_address=cart.ship_address,
        bill_address=cart.bill_address,
        special_instructions=cart.special_instructions,
        created_at=cart.created_at,
        updated_at=cart.updated_at,
    )


def basket_of_order(
    placed: PlacedOrder, cart: Cart | None, offers: Mapping[UUID, Offer], *, user_id: UUID | None, email: str | None
) -> Basket:
    """What was ordered; `cart` is what the order came from, None for one that came in another way."""
    order = placed.order
    lines = [
        Line(
            id=f"{order.id}-{line.position}",
            product_id=line.product_id,
            name=line.name,
            quantity=line.quantity,
            price_minor=line.price_minor,
            offer=offers.get(line.product_row_id),
        )
        for line in placed.lines
    ]
    return Basket(
        id=order.id,
        number=cart.number if cart else f"R{order.id.int % 10**9:09}",
        state="canceled" if order.status == "cancelled" else "complete",
        token=None,
        email=cart.email if cart else email,
        currency=order.currency,
        lines=lines,
        user_id=user_id,
        ship_address=(cart.ship_address if cart else None) or _address_of(order.shipping_address),
        bill_address=cart.bill_address if cart else None,
        special_instructions=(cart.special_instructions if cart else None) or order.note or None,
        created_at=cart.created_at if cart else order.created_at,
        updated_at=order.updated_at,
        completed_at=order.created_at,
        shipment_state=_SHIPMENTS[order.status],
        payment_state=_PAYMENTS[payment_status(order.payment_method, order.status)],
    )


def basket_resource(basket: Basket, locale: str, user: Resource | None = None) -> Resource:
    """The resource, with all that hangs on it."""
    variants = [variant_resource(line.offer, basket.currency, locale) for line in basket.lines if line.offer]
    owner = user or (Name("user", str(basket.user_id)) if basket.user_id else None)
    return Resource(
        "cart",
        str(basket.id),
        _attributes(basket, locale),
        {
            "line_items": [_line_resource(line, basket.currency, locale) for line in basket.lines],
            "variants": variants,
            "promotions": [],
            "payments": [],
            "shipments": [],
            "user": owner,
            "billing_address": _address(basket, basket.bill_address, "billing", locale),
            "shipping_address": _address(basket, basket.ship_address, "shipping", locale),
        },
    )


def _attributes(basket: Basket, locale: str) -> dict[str, Any]:
    total = basket.total_minor

    def amount(minor: int) -> str:
        return plain(minor, basket.currency)

    def display(minor: int) -> str:
        return shown(minor, basket.currency, locale)

    # In the order of the document.
    return {
        "number": basket.number,
        "item_total": amount(total),
        "total": amount(total),
        "ship_total": amount(_NOTHING),
        "adjustment_total": amount(_NOTHING),
        "created_at": timestamp(basket.created_at),
        "updated_at": timestamp(basket.updated_at),
        "completed_at": timestamp(basket.completed_at) if basket.completed_at else None,
        "included_tax_total": amount(_NOTHING),
        "additional_tax_total": amount(_NOTHING),
        "display_additional_tax_total": display(_NOTHING),
        "display_included_tax_total": display(_NOTHING),
        "tax_total": amount(_NOTHING),
        "currency": basket.currency,
        "state": basket.state,
        "token": basket.token,
        "email": basket.email,
        "display_item_total": display(total),
        "display_ship_total": display(_NOTHING),
        "display_adjustment_total": display(_NOTHING),
        "display_tax_total": display(_NOTHING),
        "promo_total": amount(_NOTHING),
        "display_promo_total": display(_NOTHING),
        "item_count": sum(line.quantity for line in basket.lines),
        "special_instructions": basket.special_instructions,
        "display_total": display(total),
        "pre_tax_item_amount": amount(total),
        "display_pre_tax_item_amount": display(total),
        "pre_tax_total": amount(total),
        "display_pre_tax_total": display(total),
        "shipment_state": basket.shipment_state,
        "payment_state": basket.payment_state,
    }


def _line_resource(line: Line, currency: str, locale: str) -> Resource:
    total = line.price_minor * line.quantity
    attributes = {
        "name": line.name,
        "quantity": line.quantity,
        "slug": line.product_id,
        "options_text": "",
        "price": plain(line.price_minor, currency),
        "currency": currency,
        "display_price": shown(line.price_minor, currency, locale),
        "total": plain(total, currency),
        "display_total": shown(total, currency, locale),
        "adjustment_total": plain(_NOTHING, currency),
        "display_adjustment_total": shown(_NOTHING, currency, locale),
        "additional_tax_total": plain(_NOTHING, currency),
        "display_additional_tax_total": shown(_NOTHING, currency, locale),
        "discounted_amount": plain(total, currency),
        "display_discounted_amount": shown(total, currency, locale),
        "promo_total": plain(_NOTHING, currency),
        "display_promo_total": shown(_NOTHING, currency, locale),
        "included_tax_total": plain(_NOTHING, currency),
        "display_included_tax_total": shown(_NOTHING, currency, locale),
        "pre_tax_amount": plain(total, currency),
        "display_pre_tax_amount": shown(total, currency, locale),
        "public_metadata": {},
    }
    variant = variant_resource(line.offer, currency, locale) if line.offer else Name("variant", line.product_id)
    return Resource("line_item", line.id, attributes, {"variant": variant})


def _address(basket: Basket, address: Mapping[str, str] | None, kind: str, locale: str) -> Resource | None:
    # It has no row of its own: it is named for what it belongs to.
    return address_resource(f"{basket.id}-{kind}", address, locale) if address else None


def _address_of(address: Mapping[str, str]) -> dict[str, str] | None:
    """None for what is sent on account to a customer whom the shop knows."""
    if not address["country"]:
        return None
    return {
        "address1": address["street"],
        "city": address["city"],
        "state_name": address["state"],
        "zipcode": address["zip"],
        "country_iso": address["country"],
    }


def _state(cart: Cart) -> str:
    """How far the checkout is: what it still waits for."""
    if cart.ship_address is None:
        return "cart"
    return "confirm" if cart.payment_method and cart.email else "payment"
