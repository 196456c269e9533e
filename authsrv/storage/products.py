"""The catalogue: what a store sells, for how much, and how many are left. Money is whole minor units (cents)."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel, col, func, select, update

from authsrv.storage.columns import UTC_TIME
from authsrv.storage.unit import Unit


class Product(SQLModel, table=True):
    """`product_id` is the store's own name for it, unique there; prices are in minor units of the store's currency."""

    __tablename__ = "product"
    __table_args__ = (
        UniqueConstraint("store_id", "product_id"),
        Index("ix_product_store_id_code", "store_id", "code"),
        CheckConstraint("stock >= 0", name="stock"),
        CheckConstraint("price_minor >= 0", name="price"),
    )

    id: UUID = Field(primary_key=True)
    store_id: UUID = Field(foreign_key="store.id")
    product_id: str = Field(max_length=64)
    code: str = Field(max_length=64)
    brand: str = Field(default="", max_length=100)
    name: str = Field(max_length=200)
    price_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    stock: int
    created_at: datetime = Field(sa_type=UTC_TIME)
    updated_at: datetime = Field(sa_type=UTC_TIME)


class ProductValues(TypedDict):
    """What a store says of a product."""

    product_id: str
    code: str
    brand: str
    name: str
    price_minor: int
    stock: int


def list_products_named(unit: Unit, store_id: UUID, product_ids: Iterable[str]) -> list[Product]:
    """Those of the store's products that have one of these names."""
    named = select(Product).where(col(Product.store_id) == store_id, col(Product.product_id).in_(list(product_ids)))
    return list(unit.session.exec(named))


def list_products_from(unit: Unit, store_id: UUID, *, offset: int, limit: int) -> list[Product]:
    """The store's products by their names, so many behind the first ones."""
    query = select(Product).where(col(Product.store_id) == store_id).order_by(col(Product.product_id))
    return list(unit.session.exec(query.offset(offset).limit(limit)))


def count_products(unit: Unit, store_id: UUID) -> int:
    return unit.session.exec(select(func.count()).select_from(Product).where(col(Product.store_id) == store_id)).one()


def list_products_coded(unit: Unit, store_id: UUID, codes: Iterable[str]) -> list[Product]:
    """Those of the store's products that have one of these codes, by their names."""
    coded = select(Product).where(col(Product.store_id) == store_id, col(Product.code).in_(list(codes)))
    return list(unit.session.exec(coded.order_by(col(Product.product_id))))


def list_codes(unit: Unit, row_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The codes of these products, by row id."""
    query = select(Product.id, Product.code).where(col(Product.id).in_(list(row_ids)))
    return dict(unit.session.exec(query).all())


def save_product(unit: Unit, store_id: UUID, values: ProductValues) -> Product:
    """Adds the product, or changes the one of that `product_id`."""
    now = unit.now()
    found = list_products_named(unit, store_id, [values["product_id"]])
    if found:
        product = found[0]
        product.sqlmodel_update({**values, "updated_at": now})
    else:
        product = Product(id=unit.new_id(), store_id=store_id, **values, created_at=now, updated_at=now)
    unit.session.add(product)
    unit.session.flush()
    return product


def return_stock(unit: Unit, row_id: UUID, quantity: int) -> None:
    """Puts so many back into stock."""
    unit.change(
        update(Product)
        .where(col(Product.id) == row_id)
        .values(stock=col(Product.stock) + quantity)
        .execution_options(synchronize_session=False)
    )


def take_stock(unit: Unit, row_id: UUID, quantity: int) -> bool:
    """Takes so many out of stock, or none and says False: one conditional UPDATE, so none is sold twice."""
    taken = unit.change(
        update(Product)
        .where(col(Product.id) == row_id, col(Product.stock) >= quantity)
        .values(stock=col(Product.stock) - quantity)
        .execution_options(synchronize_session=False)
    )
    return taken == 1
