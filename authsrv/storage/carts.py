"""Carts: what a customer or a guest is about to order. One that was ordered stays, as what its order came from.

They are kept apart from orders, which are listed by the time in their ids: one that began as a cart days before it was
placed would otherwise appear behind whoever walks the list.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, Column, UniqueConstraint
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, SQLModel, col, delete, select, update

from authsrv.storage.columns import UTC_TIME
from authsrv.storage.products import Product
from authsrv.storage.unit import Unit


class Cart(SQLModel, table=True):
    """`expires_at` is empty once the cart was ordered: then it lives as long as its order."""

    __tablename__ = "cart"
    __table_args__ = (UniqueConstraint("store_id", "number"),)

    id: UUID = Field(primary_key=True)
    store_id: UUID = Field(foreign_key="store.id")
    # None: a guest's, who has nothing but its token.
    user_id: UUID | None = Field(default=None, foreign_key="user.id", index=True)
    number: str = Field(max_length=16)
    currency: str = Field(max_length=3)
    email: str | None = Field(default=None, max_length=254)
    ship_address: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    bill_address: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    payment_method: str | None = Field(default=None, max_length=20)
    special_instructions: str | None = Field(default=None, max_length=1000)
    order_id: UUID | None = Field(default=None, foreign_key="order.id", unique=True)
    created_at: datetime = Field(sa_type=UTC_TIME)
    updated_at: datetime = Field(sa_type=UTC_TIME)
    expires_at: datetime | None = Field(default=None, sa_type=UTC_TIME, index=True)


class CartLine(SQLModel, table=True):
    """So many of a product. What it costs is the catalogue's to say until it is ordered."""

    __tablename__ = "cart_line"
    __table_args__ = (
        UniqueConstraint("cart_id", "product_row_id"),
        CheckConstraint("quantity > 0", name="quantity"),
    )

    id: UUID = Field(primary_key=True)
    cart_id: UUID = Field(foreign_key="cart.id", ondelete="CASCADE")
    product_row_id: UUID = Field(foreign_key="product.id")
    quantity: int
    created_at: datetime = Field(sa_type=UTC_TIME)


def add_cart(unit: Unit, cart: Cart) -> bool:
    """Stores a new cart; False when its number is taken in the store."""
    try:
        with unit.session.begin_nested():
            unit.session.add(cart)
            unit.session.flush()
    except IntegrityError:
        return False
    return True


def find_cart(unit: Unit, store_id: UUID, cart_id: UUID) -> Cart | None:
    """The living cart of this id in the store."""
    return unit.session.exec(select(Cart).where(Cart.id == cart_id, *_living(unit, store_id))).first()


def find_newest_cart(unit: Unit, store_id: UUID, user_id: UUID) -> Cart | None:
    """The living cart that the person changed last."""
    query = select(Cart).where(Cart.user_id == user_id, *_living(unit, store_id))
    return unit.session.exec(query.order_by(col(Cart.updated_at).desc(), col(Cart.id).desc()).limit(1)).first()


def lock_cart(unit: Unit, cart: Cart) -> Cart | None:
    """The cart as it is now, and nobody else changes it until this transaction ends; None when it lives no more."""
    query = select(Cart).where(Cart.id == cart.id, *_living(unit, cart.store_id)).with_for_update()
    return unit.session.exec(query.execution_options(populate_existing=True)).first()


def save_cart(unit: Unit, cart: Cart) -> None:
    unit.session.add(cart)
    unit.session.flush()


def delete_cart(unit: Unit, cart: Cart) -> None:
    clear_lines(unit, cart.id)
    unit.session.delete(cart)
    unit.session.flush()


def claim_cart(unit: Unit, cart: Cart, user_id: UUID) -> bool:
    """Makes a guest's cart the person's; False when it is somebody's."""
    claimed = update(Cart).where(col(Cart.id) == cart.id, col(Cart.user_id).is_(None)).values(user_id=user_id)
    return unit.change(claimed.execution_options(synchronize_session=False)) == 1


def close_cart(unit: Unit, cart_id: UUID, order_id: UUID) -> bool:
    """The cart became this order; False when it had become one before."""
    closed = update(Cart).where(col(Cart.id) == cart_id, col(Cart.order_id).is_(None))
    closed = closed.values(order_id=order_id, expires_at=None, updated_at=unit.now())
    return unit.change(closed.execution_options(synchronize_session=False)) == 1


def list_carts_of(unit: Unit, order_ids: Sequence[UUID]) -> dict[UUID, Cart]:
    """The carts that these orders came from, by order."""
    if not order_ids:
        return {}
    query = select(Cart).where(col(Cart.order_id).in_(order_ids))
    return {cart.order_id: cart for cart in unit.session.exec(query) if cart.order_id is not None}


def list_cart_lines(unit: Unit, cart_id: UUID) -> list[tuple[CartLine, Product]]:
    """The lines with their products, in the order in which they came."""
    query = (
        select(CartLine, Product)
        .join(Product, col(Product.id) == col(CartLine.product_row_id))
        .where(CartLine.cart_id == cart_id)
        .order_by(col(CartLine.id))
    )
    return [(line, product) for line, product in unit.session.exec(query)]


def find_line(unit: Unit, cart_id: UUID, line_id: UUID) -> CartLine | None:
    return unit.session.exec(select(CartLine).where(CartLine.id == line_id, CartLine.cart_id == cart_id)).first()


def find_line_of(unit: Unit, cart_id: UUID, product_row_id: UUID) -> CartLine | None:
    query = select(CartLine).where(CartLine.cart_id == cart_id, CartLine.product_row_id == product_row_id)
    return unit.session.exec(query).first()


def save_line(unit: Unit, line: CartLine) -> None:
    unit.session.add(line)
    unit.session.flush()


def delete_line(unit: Unit, line: CartLine) -> None:
    unit.session.delete(line)
    unit.session.flush()


def clear_lines(unit: Unit, cart_id: UUID) -> None:
    """Nothing is in the cart any more."""
    cleared = delete(CartLine).where(col(CartLine.cart_id) == cart_id)
    unit.change(cleared.execution_options(synchronize_session="fetch"))


def prune_carts(unit: Unit, batch: int) -> int:
    """Deletes up to `batch` carts that nobody came back to, with their lines; returns how many."""
    expired = select(Cart.id).where(col(Cart.expires_at) < unit.now()).order_by(col(Cart.expires_at)).limit(batch)
    ids = list(unit.session.exec(expired))
    if not ids:
        return 0
    unit.change(delete(CartLine).where(col(CartLine.cart_id).in_(ids)).execution_options(synchronize_session=False))
    return unit.change(delete(Cart).where(col(Cart.id).in_(ids)).execution_options(synchronize_session=False))


def _living(unit: Unit, store_id: UUID) -> tuple[Any, ...]:
    return col(Cart.store_id) == store_id, col(Cart.order_id).is_(None), col(Cart.expires_at) > unit.now()
