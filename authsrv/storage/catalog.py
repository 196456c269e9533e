"""The catalogue as its customers look through it: filtered, sorted, a page at a time, at the prices of who asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_
from sqlmodel import col, func, select

from authsrv.storage.prices import Price
from authsrv.storage.products import Product
from authsrv.storage.unit import Unit

SORTS = ("name", "price", "updated_at", "created_at")


@dataclass(frozen=True, slots=True)
class CatalogQuery:
    """What is looked for, None or nothing for all; prices are in minor units, `sort` is of `SORTS`, `-` for down."""

    product_ids: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    name: str | None = None
    least_price: int | None = None
    most_price: int | None = None
    in_stock: bool | None = None
    sort: tuple[str, ...] = ()
    offset: int = 0
    limit: int = 25


def list_catalog(unit: Unit, store_id: UUID, query: CatalogQuery, user_id: UUID | None) -> list[tuple[Product, int]]:
    """A page of the store's products, each with what it costs this person."""
    price = _price(user_id)
    found: Any = _joined(select(Product, price), user_id).where(*_wanted(store_id, query, price))
    found = found.order_by(*_order(query.sort, price)).offset(query.offset).limit(query.limit)
    return [(product, price_minor) for product, price_minor in unit.session.execute(found)]


def count_catalog(unit: Unit, store_id: UUID, query: CatalogQuery, user_id: UUID | None) -> int:
    """How many products there are on all pages."""
    price = _price(user_id)
    counted: Any = select(func.count()).select_from(Product)
    counted = _joined(counted, user_id if _asks_price(query) else None).where(*_wanted(store_id, query, price))
    return int(unit.session.execute(counted).scalar_one())


def list_priced(
    unit: Unit, store_id: UUID, row_ids: Sequence[UUID], user_id: UUID | None
) -> dict[UUID, tuple[Product, int]]:
    """These products by row id, each with what it costs this person."""
    if not row_ids:
        return {}
    found: Any = _joined(select(Product, _price(user_id)), user_id)
    found = found.where(col(Product.store_id) == store_id, col(Product.id).in_(row_ids))
    return {product.id: (product, price_minor) for product, price_minor in unit.session.execute(found)}


def _price(user_id: UUID | None) -> Any:
    own = col(Price.price_minor)
    return func.coalesce(own, col(Product.price_minor)) if user_id is not None else col(Product.price_minor)


def _joined(statement: Any, user_id: UUID | None) -> Any:
    if user_id is None:
        return statement
    is_own = and_(col(Price.product_id) == col(Product.id), col(Price.user_id) == user_id)
    return statement.join(Price, is_own, isouter=True)


def _asks_price(query: CatalogQuery) -> bool:
    return query.least_price is not None or query.most_price is not None


def _wanted(store_id: UUID, query: CatalogQuery, price: Any) -> list[Any]:
    wanted: list[Any] = [col(Product.store_id) == store_id]
    if query.product_ids:
        wanted.append(col(Product.product_id).in_(query.product_ids))
    if query.codes:
        wanted.append(col(Product.code).in_(query.codes))
    if query.name:
        wanted.append(col(Product.name).icontains(query.name, autoescape=True))
    if query.least_price is not None:
        wanted.append(price >= query.least_price)
    if query.most_price is not None:
        wanted.append(price <= query.most_price)
    if query.in_stock is not None:
        wanted.append(col(Product.stock) > 0 if query.in_stock else col(Product.stock) == 0)
    return wanted


def _order(sort: Sequence[str], price: Any) -> list[Any]:
    columns = {
        "name": col(Product.name),
        "price": price,
        "updated_at": col(Product.updated_at),
        "created_at": col(Product.created_at),
    }
    chosen = [columns[name.lstrip("-")].desc() if name.startswith("-") else columns[name].asc() for name in sort]
    # So that no two products can change places between two pages.
    return [*chosen, col(Product.product_id).asc()]
