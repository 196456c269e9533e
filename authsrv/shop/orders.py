"""Placing and finding orders: prices from the catalogue, never from the caller."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from authsrv.identity.stores import KnownStore
from authsrv.kit.errors import DomainError
from authsrv.kit.identifiers import parse_uuid
from authsrv.storage.orders import (
    Order,
    OrderLine,
    add_order,
    count_orders,
    find_order,
    list_lines,
    list_orders,
)
from authsrv.storage.products import Product, list_products_named, take_stock
from authsrv.storage.unit import Unit

STATUSES = ("pending", "processing", "shipped", "delivered", "cancelled")


@dataclass(frozen=True, slots=True)
class WantedItem:
    """So many of a product, by the store's name for it."""

    product_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class WantedOrder:
    """An order before it is judged; the shape of each field has been checked at the door."""

    customer_id: str
    items: tuple[WantedItem, ...]
    shipping_address: dict[str, str]
    payment_method: str


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order with its lines."""

    order: Order
    lines: Sequence[OrderLine]


@dataclass(frozen=True, slots=True)
class OrderPage:
    """A page of a listing, newest first; `total` counts all that match, `last` is where to go on, if there is more."""

    orders: tuple[PlacedOrder, ...]
    total: int
    last: UUID | None


@dataclass(frozen=True, slots=True)
class Listing:
    """Which orders are asked for, and which part of them."""

    customer_id: str | None
    status: str | None
    after: UUID | None
    offset: int
    limit: int


def place_order(unit: Unit, store: KnownStore, wanted: WantedOrder, *, placed_by: str) -> Order:
    """Stores the order and takes its products out of stock, or raises `invalid_parameter` naming the item."""
    products = {product.product_id: product for product in _find_products(unit, store, wanted)}
    chosen = [products.get(item.product_id) for item in wanted.items]
    for position, product in enumerate(chosen):
        if product is None:
            raise _bad_item(position, "product_id", "is not a product of this store")
    priced = [(item, product) for item, product in zip(wanted.items, chosen, strict=True) if product]
    _take_all(unit, priced)
    now = unit.now()
    order = Order(
        id=unit.new_id(),
        store_id=store.id,
        customer_id=wanted.customer_id,
        status="pending",
        currency=store.currency,
        total_minor=sum(product.price_minor * item.quantity for item, product in priced),
        shipping_address=wanted.shipping_address,
        payment_method=wanted.payment_method,
        placed_by=placed_by,
        created_at=now,
        updated_at=now,
    )
    add_order(unit, order, [_line(order, position, *pair) for position, pair in enumerate(priced)])
    return order


def get_order(unit: Unit, store: KnownStore, order_id: str, *, customer_id: str | None) -> PlacedOrder:
    """The order; raises `not_found` for one that is none, or another store's, or another customer's."""
    row_id = parse_uuid(order_id)
    order = find_order(unit, store.id, row_id, customer_id) if row_id else None
    if order is None:
        raise DomainError("not_found", 404, "There is no such order.")
    return PlacedOrder(order, list_lines(unit, [order.id])[order.id])


def list_page(unit: Unit, store: KnownStore, listing: Listing) -> OrderPage:
    """One page of the store's orders."""
    chosen = {"customer_id": listing.customer_id, "status": listing.status}
    # One more than asked for tells whether there is a next page.
    orders = list_orders(unit, store.id, **chosen, after=listing.after, offset=listing.offset, limit=listing.limit + 1)
    page = orders[: listing.limit]
    lines = list_lines(unit, [order.id for order in page])
    return OrderPage(
        orders=tuple(PlacedOrder(order, lines[order.id]) for order in page),
        total=count_orders(unit, store.id, **chosen),
        last=page[-1].id if len(orders) > listing.limit else None,
    )


def _find_products(unit: Unit, store: KnownStore, wanted: WantedOrder) -> list[Product]:
    return list_products_named(unit, store.id, {item.product_id for item in wanted.items})


def _take_all(unit: Unit, priced: Sequence[tuple[WantedItem, Product]]) -> None:
    # Always in the same order, so that two orders for the same products cannot wait for each other.
    for position in sorted(range(len(priced)), key=lambda at: priced[at][1].id):
        item, product = priced[position]
        if not take_stock(unit, product.id, item.quantity):
            raise _bad_item(position, "quantity", "is more than there is in stock")


def _line(order: Order, position: int, item: WantedItem, product: Product) -> OrderLine:
    return OrderLine(
        order_id=order.id,
        position=position,
        product_row_id=product.id,
        product_id=product.product_id,
        name=product.name,
        quantity=item.quantity,
        price_minor=product.price_minor,
    )


def _bad_item(position: int, field: str, fault: str) -> DomainError:
    return DomainError("invalid_parameter", 400, f"items[{position}].{field} {fault}.")
