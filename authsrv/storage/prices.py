"""Prices of one customer's own, where they differ from the catalogue's; in minor units of the store's currency."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, UniqueConstraint
from sqlmodel import Field, SQLModel, col, delete, select

from authsrv.storage.columns import UTC_TIME
from authsrv.storage.products import Product
from authsrv.storage.unit import Unit


class Price(SQLModel, table=True):
    """What one person pays for one product."""

    __tablename__ = "price"
    __table_args__ = (UniqueConstraint("user_id", "product_id"), CheckConstraint("price_minor >= 0", name="price"))

    id: UUID = Field(primary_key=True)
    product_id: UUID = Field(foreign_key="product.id", index=True)
    user_id: UUID = Field(foreign_key="user.id")
    price_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    created_at: datetime = Field(sa_type=UTC_TIME)
    updated_at: datetime = Field(sa_type=UTC_TIME)


def list_prices_for(unit: Unit, store_id: UUID, user_id: UUID, product_ids: Sequence[UUID]) -> dict[UUID, int]:
    """The person's own prices for those of these products (row ids) that have one."""
    if not product_ids:
        return {}
    query = (
        select(Price.product_id, Price.price_minor)
        .join(Product, col(Product.id) == col(Price.product_id))
        .where(Price.user_id == user_id, col(Price.product_id).in_(product_ids), Product.store_id == store_id)
    )
    return dict(unit.session.exec(query).all())


def save_price(unit: Unit, product_id: UUID, user_id: UUID, price_minor: int) -> None:
    """Sets or changes the person's own price of the product."""
    now = unit.now()
    query = select(Price).where(Price.user_id == user_id, Price.product_id == product_id)
    price = unit.session.exec(query).first()
    if price is None:
        price = Price(
            id=unit.new_id(),
            product_id=product_id,
            user_id=user_id,
            price_minor=price_minor,
            created_at=now,
            updated_at=now,
        )
    price.price_minor, price.updated_at = price_minor, now
    unit.session.add(price)
    unit.session.flush()


def drop_price(unit: Unit, product_id: UUID, user_id: UUID) -> bool:
    """The person pays what everybody pays again; False where they did."""
    dropped = delete(Price).where(col(Price.user_id) == user_id, col(Price.product_id) == product_id)
    return unit.change(dropped.execution_options(synchronize_session=False)) == 1


def list_own_prices(unit: Unit, store_id: UUID, user_id: UUID) -> list[tuple[Product, int]]:
    """All of the person's own prices in the store, by the product's name there."""
    query = (
        select(Product, Price.price_minor)
        .join(Price, col(Price.product_id) == col(Product.id))
        .where(Product.store_id == store_id, Price.user_id == user_id)
        .order_by(col(Product.product_id))
    )
    return [(product, price_minor) for product, price_minor in unit.session.exec(query)]
