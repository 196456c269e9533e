"""Carts, from the first item to the order: what is in one costs what the catalogue says when it is asked.

Who may touch a cart is told by its token, or by being the person it belongs to; both are judged here. Every change
holds the cart's row, so that no two can lose each other's, and none can come after the order.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from authsrv.identity.stores import KnownStore
from authsrv.kit.errors import DomainError
from authsrv.kit.handles import Handle, HandleSealer, Purpose
from authsrv.kit.identifiers import parse_uuid
from authsrv.shop.orders import OutOfStock, WantedItem, WantedOrder, place_order, reach_of
from authsrv.storage.carts import (
    Cart,
    CartLine,
    add_cart,
    claim_cart,
    clear_lines,
    close_cart,
    delete_cart,
    delete_line,
    find_cart,
    find_line,
    find_line_of,
    find_newest_cart,
    list_cart_lines,
    lock_cart,
    save_cart,
    save_line,
)
from authsrv.storage.orders import Order
from authsrv.storage.prices import list_prices_for
from authsrv.storage.products import Product, list_products_named
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_user_by_id

CART_TOKEN = Purpose(4, "ct_")
# Since it was last changed.
CART_LIVES = timedelta(days=30)
MOST_OF_ONE = 10_000
_MOST_LINES = 100
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who comes for a cart: with its token, as the person they are signed in as, or both."""

    cart_id: UUID | None = None
    user_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class CartItem:
    """A line with its product, and what one of it costs now, in minor units."""

    line: CartLine
    product: Product
    price_minor: int

    @property
    def total_minor(self) -> int:
        return self.price_minor * self.line.quantity


@dataclass(frozen=True, slots=True)
class FilledCart:
    """A cart with what is in it."""

    cart: Cart
    items: tuple[CartItem, ...]

    @property
    def total_minor(self) -> int:
        return sum(item.total_minor for item in self.items)


@dataclass(frozen=True, slots=True)
class Details:
    """What a checkout adds to a cart; None leaves it as it is. Addresses are as their door has checked them."""

    email: str | None = None
    ship_address: dict[str, str] | None = None
    bill_address: dict[str, str] | None = None
    payment_method: str | None = None
    special_instructions: str | None = None


class CartGone(DomainError):
    """There is no such cart for this caller, or it was ordered, or it has expired."""

    def __init__(self) -> None:
        super().__init__("not_found", 404, "There is no such cart.")


class CartRefusal(DomainError):
    """The cart cannot be so; `field` is what stands in the way."""

    def __init__(self, field: str, fault: str) -> None:
        super().__init__("unprocessable", 422, f"{field} {fault}.")
        self.field = field
        self.fault = fault


def seal_cart(sealer: HandleSealer, cart_id: UUID) -> str:
    """The cart's token."""
    return sealer.seal(CART_TOKEN, Handle(cart_id, 0))


def open_cart_token(sealer: HandleSealer, text: str) -> UUID | None:
    """Which cart a token is for; None for what is none."""
    handle = sealer.open(CART_TOKEN, text)
    return handle.row_id if handle else None


def begin_cart(unit: Unit, store: KnownStore, user_id: UUID | None) -> FilledCart:
    """A new, empty cart; the person's, if somebody is signed in."""
    person = find_user_by_id(unit, user_id) if user_id else None
    now = unit.now()
    for _ in range(_TRIES):
        made = unit.new_id()
        cart = Cart(
            id=made,
            store_id=store.id,
            user_id=user_id,
            # For people to read out; the random end of the id, and another one when it is taken.
            number=f"R{made.int % 10**9:09}",
            currency=store.currency,
            email=person.email if person else None,
            created_at=now,
            updated_at=now,
            expires_at=now + CART_LIVES,
        )
        if add_cart(unit, cart):
            return FilledCart(cart, ())
    raise RuntimeError("no free number for a cart")


def get_cart(unit: Unit, store: KnownStore, bearer: Bearer) -> Cart:
    """The cart that the caller may touch. Raises CartGone."""
    if bearer.cart_id is not None:
        cart = find_cart(unit, store.id, bearer.cart_id)
        # Somebody else's cart stays closed to who is signed in as another, whatever token they found.
        if cart is not None and bearer.user_id is not None and cart.user_id not in {None, bearer.user_id}:
            cart = None
    else:
        cart = find_newest_cart(unit, store.id, bearer.user_id) if bearer.user_id else None
    if cart is None:
        raise CartGone
    return cart


def look_into(unit: Unit, cart: Cart) -> FilledCart:
    """What is in the cart, at the prices of whom it belongs to."""
    lines = list_cart_lines(unit, cart.id)
    ids = [product.id for _, product in lines]
    own = list_prices_for(unit, cart.store_id, cart.user_id, ids) if cart.user_id else {}
    items = (CartItem(line, product, own.get(product.id, product.price_minor)) for line, product in lines)
    return FilledCart(cart, tuple(items))


def add_item(unit: Unit, store: KnownStore, bearer: Bearer, product_id: str, quantity: int) -> FilledCart:
    """So many more of the product. Raises CartGone, `not_found`, CartRefusal."""
    cart = _hold(unit, store, bearer)
    product = next(iter(list_products_named(unit, store.id, [product_id])), None)
    if product is None:
        raise DomainError("not_found", 404, "There is no such product.")
    line = find_line_of(unit, cart.id, product.id)
    if line is None:
        if len(list_cart_lines(unit, cart.id)) >= _MOST_LINES:
            raise CartRefusal("line_items", f"cannot be more than {_MOST_LINES}")
        now = unit.now()
        line = CartLine(id=unit.new_id(), cart_id=cart.id, product_row_id=product.id, quantity=0, created_at=now)
    _fill(unit, line, product, line.quantity + quantity)
    return _changed(unit, cart)


def set_quantity(unit: Unit, store: KnownStore, bearer: Bearer, line_id: str, quantity: int) -> FilledCart:
    """So many of what is in the line. Raises CartGone, `not_found`, CartRefusal."""
    cart = _hold(unit, store, bearer)
    line = _get_line(unit, cart, line_id)
    product = next(item for found, item in list_cart_lines(unit, cart.id) if found.id == line.id)
    _fill(unit, line, product, quantity)
    return _changed(unit, cart)


def remove_line(unit: Unit, store: KnownStore, bearer: Bearer, line_id: str) -> FilledCart:
    """The cart without the line. Raises CartGone and `not_found`."""
    cart = _hold(unit, store, bearer)
    delete_line(unit, _get_line(unit, cart, line_id))
    return _changed(unit, cart)


def empty_cart(unit: Unit, store: KnownStore, bearer: Bearer) -> FilledCart:
    """The cart with nothing in it. Raises CartGone."""
    cart = _hold(unit, store, bearer)
    clear_lines(unit, cart.id)
    return _changed(unit, cart)


def drop_cart(unit: Unit, store: KnownStore, bearer: Bearer) -> None:
    """The cart is no more, nor is its token good for anything. Raises CartGone."""
    delete_cart(unit, _hold(unit, store, bearer))


def join_cart(unit: Unit, store: KnownStore, cart_id: UUID, user_id: UUID) -> FilledCart:
    """Makes a guest's cart the person's, who holds its token. Raises CartGone, and CartRefusal when it is another's."""
    cart = _hold(unit, store, Bearer(cart_id=cart_id))
    if cart.user_id != user_id and not claim_cart(unit, cart, user_id):
        raise CartRefusal("guest_order_token", "is for a cart that belongs to somebody already")
    cart.user_id = user_id
    person = find_user_by_id(unit, user_id)
    cart.email = cart.email or (person.email if person else None)
    return _changed(unit, cart)


def set_details(unit: Unit, store: KnownStore, bearer: Bearer, details: Details) -> FilledCart:
    """The cart with where it goes to, and how it is paid. Raises CartGone."""
    cart = _hold(unit, store, bearer)
    for name in Details.__dataclass_fields__:
        if (value := getattr(details, name)) is not None:
            setattr(cart, name, value)
    return _changed(unit, cart)


def complete_cart(unit: Unit, store: KnownStore, bearer: Bearer, *, placed_by: str) -> tuple[Cart, Order]:
    """Orders what is in the cart, once. Raises CartGone, and CartRefusal for what is missing or not in stock."""
    cart = _hold(unit, store, bearer)
    filled = look_into(unit, cart)
    address, method = _judge_complete(filled)
    reach = reach_of(unit, store, cart.user_id)
    wanted = WantedOrder(
        # A guest is nobody's customer: the store knows them by the number of their order.
        customer_id=reach.customer_id or f"guest-{cart.number}",
        items=tuple(WantedItem(item.product.product_id, item.line.quantity) for item in filled.items),
        shipping_address=_order_address(address),
        payment_method=method,
        note=cart.special_instructions or "",
    )
    try:
        order = place_order(unit, store, wanted, placed_by=placed_by, person=cart.user_id)
    except OutOfStock as short:
        name = filled.items[short.position].product.name
        raise CartRefusal("line_items", f"has more of {name} than there is in stock") from None
    clear_lines(unit, cart.id)
    if not close_cart(unit, cart.id, order.id):
        raise CartGone
    return cart, order


def _judge_complete(filled: FilledCart) -> tuple[dict[str, str], str]:
    cart = filled.cart
    if not filled.items:
        raise CartRefusal("line_items", "must not be empty")
    if not cart.email:
        raise CartRefusal("email", "is missing")
    if not cart.ship_address:
        raise CartRefusal("ship_address", "is missing")
    if not cart.payment_method:
        raise CartRefusal("payment_method", "is missing")
    return cart.ship_address, cart.payment_method


def _order_address(address: dict[str, str]) -> dict[str, str]:
    """The same place in the words of an order."""
    street = ", ".join(part for part in (address["address1"], address.get("address2")) if part)
    return {
        "street": street,
        "city": address["city"],
        "state": address.get("state_name", ""),
        "zip": address["zipcode"],
        "country": address["country_iso"],
    }


def _hold(unit: Unit, store: KnownStore, bearer: Bearer) -> Cart:
    """The caller's cart, as nobody else can change it until this transaction ends."""
    held = lock_cart(unit, get_cart(unit, store, bearer))
    if held is None:
        raise CartGone
    return held


def _get_line(unit: Unit, cart: Cart, line_id: str) -> CartLine:
    row_id = parse_uuid(line_id)
    line = find_line(unit, cart.id, row_id) if row_id else None
    if line is None:
        raise DomainError("not_found", 404, "There is no such line item.")
    return line


def _fill(unit: Unit, line: CartLine, product: Product, quantity: int) -> None:
    if quantity > MOST_OF_ONE or quantity > product.stock:
        # It is only told here that there is too little; whether there is enough, the order finds out.
        raise CartRefusal("quantity", f"of {product.name} is more than there is in stock")
    line.quantity = quantity
    save_line(unit, line)


def _changed(unit: Unit, cart: Cart) -> FilledCart:
    cart.updated_at = unit.now()
    cart.expires_at = cart.updated_at + CART_LIVES
    save_cart(unit, cart)
    return look_into(unit, cart)
