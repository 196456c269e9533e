"""Placing and finding orders: prices from the catalogue, never from the caller."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from authsrv.identity.stores import KnownStore
from authsrv.kit.errors import DomainError
from authsrv.kit.identifiers import parse_uuid
from authsrv.shop.events import tell
from authsrv.storage.orders import (
    Order,
    OrderLine,
    add_order,
    count_orders,
    find_order,
    list_lines,
    list_orders,
    lock_order,
    save_order,
)
from authsrv.storage.prices import list_prices_for
from authsrv.storage.products import Product, list_products_named, return_stock, take_stock
from authsrv.storage.unit import Unit
from authsrv.storage.users import STAFF_ROLES, find_membership

# Each status and where it may move on to.
TRANSITIONS: Mapping[str, frozenset[str]] = {
    "pending": frozenset({"processing", "cancelled"}),
    "processing": frozenset({"shipped", "cancelled"}),
    "shipped": frozenset({"delivered"}),
    "delivered": frozenset(),
    "cancelled": frozenset(),
}
STATUSES = tuple(TRANSITIONS)
# Once a parcel is on its way, its address is a fact.
_ADDRESS_CAN_CHANGE = frozenset({"pending", "processing"})


@dataclass(frozen=True, slots=True)
class WantedItem:
    """So many of a product, by the store's name for it."""

    product_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class WantedOrder:
    """An order before it is judged; the shape of each field has been checked at the door.

    A person who orders for themselves need not say which customer they are.
    """

    customer_id: str | None
    items: tuple[WantedItem, ...]
    shipping_address: dict[str, str]
    payment_method: str
    # What a receipt shows of a card; its number never gets this far.
    payment_brand: str | None = None
    payment_last_four: str | None = None
    note: str = ""


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


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of an order; None leaves it as it is."""

    status: str | None = None
    shipping_address: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose orders a caller may touch; `customer_id` is the store's name for the caller, where they have one there."""

    is_staff: bool
    customer_id: str | None = None

    def narrow(self, named: str | None) -> str | None:
        """The customer meant: the one named, or the caller's own. Raises `invalid_parameter` for somebody else's."""
        if self.is_staff:
            return named
        if named not in {None, self.customer_id}:
            fault = "customer_id is not the customer this access token belongs to."
            raise DomainError("invalid_parameter", 400, fault)
        return self.customer_id


class OutOfStock(DomainError):
    """Of the item at `position` there are fewer than were wanted."""

    def __init__(self, position: int) -> None:
        fault = f"items[{position}].quantity is more than there is in stock."
        super().__init__("invalid_parameter", 400, fault)
        self.position = position


def place_order(
    unit: Unit, store: KnownStore, wanted: WantedOrder, *, placed_by: str, person: UUID | None = None
) -> Order:
    """Stores the order and takes its products out of stock, or raises `invalid_parameter` naming what is wrong.

    `person` is set where someone orders for themselves, or for a customer of the store they work in.
    """
    reach = reach_of(unit, store, person)
    customer_id = _judge_customer(reach, wanted.customer_id)
    products = {product.product_id: product for product in _find_products(unit, store, wanted)}
    chosen = [products.get(item.product_id) for item in wanted.items]
    for position, product in enumerate(chosen):
        if product is None:
            raise _bad_item(position, "product_id", "is not a product of this store")
    buyer = person if customer_id == reach.customer_id else None
    prices = _prices_for(unit, store, buyer, products.values())
    priced = [(item, product) for item, product in zip(wanted.items, chosen, strict=True) if product]
    _take_all(unit, priced)
    now = unit.now()
    order = Order(
        id=unit.new_id(),
        store_id=store.id,
        customer_id=customer_id,
        status="pending",
        currency=store.currency,
        total_minor=sum(prices[product.id] * item.quantity for item, product in priced),
        shipping_address=wanted.shipping_address,
        payment_method=wanted.payment_method,
        payment_brand=wanted.payment_brand,
        payment_last_four=wanted.payment_last_four,
        note=wanted.note,
        placed_by=placed_by,
        created_at=now,
        updated_at=now,
    )
    lines = [_line(order, position, *pair, prices[pair[1].id]) for position, pair in enumerate(priced)]
    add_order(unit, order, lines)
    tell(unit, order, "order.created")
    return order


def change_order(unit: Unit, store: KnownStore, order_id: str, change: Change, *, person: UUID | None) -> Order:
    """Changes the order while nobody else can, so that no change is lost.

    A customer may change the address and cancel; the rest is the shop's business. Raises `not_found`,
    `invalid_parameter`, and `invalid_transition` for a move that is not in `TRANSITIONS`.
    """
    order = _lock(unit, store, order_id, person)
    if change.status not in {None, "cancelled"} and not reach_of(unit, store, person).is_staff:
        raise DomainError("invalid_parameter", 400, "status: a customer can only cancel an order.")
    if change.shipping_address is not None and order.status not in _ADDRESS_CAN_CHANGE:
        raise DomainError("invalid_transition", 409, f"The address of an order that is {order.status} cannot change.")
    moves = change.status is not None and change.status != order.status
    if moves and change.status not in TRANSITIONS[order.status]:
        raise _bad_move(order.status, change.status or "")
    if moves and change.status == "cancelled":
        _restock(unit, order)
    order.status = change.status or order.status
    order.shipping_address = change.shipping_address or order.shipping_address
    order.updated_at = unit.now()
    save_order(unit, order)
    tell(unit, order, "order.cancelled" if moves and order.status == "cancelled" else "order.updated")
    return order


def cancel_order(unit: Unit, store: KnownStore, order_id: str, *, person: UUID | None) -> Order:
    """Cancels the order and puts its products back. Raises `not_found` and `invalid_transition`."""
    order = _lock(unit, store, order_id, person)
    if "cancelled" not in TRANSITIONS[order.status]:
        raise _bad_move(order.status, "cancelled")
    _restock(unit, order)
    order.status = "cancelled"
    order.updated_at = unit.now()
    save_order(unit, order)
    tell(unit, order, "order.cancelled")
    return order


def get_order(unit: Unit, store: KnownStore, order_id: str, *, person: UUID | None) -> PlacedOrder:
    """The order; raises `not_found` for one that is none, or another store's, or another customer's."""
    row_id = parse_uuid(order_id)
    order = find_order(unit, store.id, row_id, person) if row_id else None
    if order is None:
        raise DomainError("not_found", 404, "There is no such order.")
    return PlacedOrder(order, list_lines(unit, [order.id])[order.id])


def list_page(unit: Unit, store: KnownStore, listing: Listing, *, person: UUID | None) -> OrderPage:
    """One page of the orders the caller may see. Raises `invalid_parameter` for a customer who names another."""
    customer_id, status = reach_of(unit, store, person).narrow(listing.customer_id), listing.status
    total = count_orders(unit, store.id, customer_id=customer_id, status=status)
    orders = list_orders(
        unit,
        store.id,
        customer_id=customer_id,
        status=status,
        after=listing.after,
        offset=listing.offset,
        # One more than asked for tells whether there is a next page.
        limit=listing.limit + 1,
        total=total,
    )
    page = orders[: listing.limit]
    lines = list_lines(unit, [order.id for order in page])
    return OrderPage(
        orders=tuple(PlacedOrder(order, lines[order.id]) for order in page),
        total=total,
        last=page[-1].id if len(orders) > listing.limit else None,
    )


def count_placed(unit: Unit, store: KnownStore, person: UUID) -> int:
    """How many orders are the person's own, as a customer of the store."""
    return count_orders(unit, store.id, customer_id=reach_of(unit, store, person).customer_id, status=None)


def reach_of(unit: Unit, store: KnownStore, person: UUID | None) -> Reach:
    """How far a caller reaches: a service, a key and who works there to all orders, a customer to their own."""
    if person is None:
        return Reach(is_staff=True)
    membership = find_membership(unit, store_id=store.id, user_id=person)
    if membership is None:
        return Reach(is_staff=False, customer_id=str(person))
    return Reach(is_staff=membership.role in STAFF_ROLES, customer_id=membership.customer_id)


def _judge_customer(reach: Reach, named: str | None) -> str:
    customer_id = reach.narrow(named)
    if customer_id is None:
        raise DomainError("invalid_parameter", 400, "The customer_id parameter is required.")
    return customer_id


def _lock(unit: Unit, store: KnownStore, order_id: str, person: UUID | None) -> Order:
    row_id = parse_uuid(order_id)
    order = lock_order(unit, store.id, row_id, person) if row_id else None
    if order is None:
        raise DomainError("not_found", 404, "There is no such order.")
    return order


def _bad_move(now: str, wanted: str) -> DomainError:
    return DomainError("invalid_transition", 409, f"An order that is {now} cannot become {wanted}.")


def _restock(unit: Unit, order: Order) -> None:
    # In the order in which orders take them, so that neither can wait for the other.
    for line in sorted(list_lines(unit, [order.id])[order.id], key=lambda line: line.product_row_id):
        return_stock(unit, line.product_row_id, line.quantity)


def _prices_for(unit: Unit, store: KnownStore, buyer: UUID | None, products: Iterable[Product]) -> dict[UUID, int]:
    """What each costs whoever buys for themselves: their own price where they have one, else the catalogue's."""
    prices = {product.id: product.price_minor for product in products}
    return prices | list_prices_for(unit, store.id, buyer, list(prices)) if buyer else prices


def _find_products(unit: Unit, store: KnownStore, wanted: WantedOrder) -> list[Product]:
    return list_products_named(unit, store.id, {item.product_id for item in wanted.items})


def _take_all(unit: Unit, priced: Sequence[tuple[WantedItem, Product]]) -> None:
    # Always in the same order, so that two orders for the same products cannot wait for each other.
    for position in sorted(range(len(priced)), key=lambda at: priced[at][1].id):
        item, product = priced[position]
        if not take_stock(unit, product.id, item.quantity):
            raise OutOfStock(position)


def _line(order: Order, position: int, item: WantedItem, product: Product, price_minor: int) -> OrderLine:
    return OrderLine(
        order_id=order.id,
        position=position,
        product_row_id=product.id,
        product_id=product.product_id,
        name=product.name,
        quantity=item.quantity,
        price_minor=price_minor,
    )


def _bad_item(position: int, field: str, fault: str) -> DomainError:
    return DomainError("invalid_parameter", 400, f"items[{position}].{field} {fault}.")
