"""Orders and their lines. A price is what the catalogue said when the order was placed, in minor units."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, Uuid, bindparam, or_
from sqlmodel import Field, SQLModel, col, func, select

from authsrv.storage.columns import UTC_TIME
from authsrv.storage.unit import Unit
from authsrv.storage.users import STAFF_ROLES, Membership


class Order(SQLModel, table=True):
    """`customer_id` is the store's name for its customer; `placed_by` the client whose credential placed it."""

    __tablename__ = "order"
    __table_args__ = (
        Index("ix_order_store_id_id", "store_id", "id"),
        Index("ix_order_store_id_customer_id_id", "store_id", "customer_id", "id"),
        Index("ix_order_store_id_status_id", "store_id", "status", "id"),
        Index("ix_order_store_id_customer_id_status_id", "store_id", "customer_id", "status", "id"),
    )

    id: UUID = Field(primary_key=True)
    store_id: UUID = Field(foreign_key="store.id")
    customer_id: str = Field(max_length=64)
    status: str = Field(max_length=12)
    currency: str = Field(max_length=3)
    total_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    shipping_address: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    payment_method: str = Field(max_length=20)
    # Of a card only what a receipt shows; the number is never stored.
    payment_brand: str | None = Field(default=None, max_length=20)
    payment_last_four: str | None = Field(default=None, max_length=4)
    # What the customer has to say about it.
    note: str = Field(default="", max_length=1000, sa_column_kwargs={"server_default": ""})
    placed_by: str = Field(max_length=512)
    created_at: datetime = Field(sa_type=UTC_TIME)
    updated_at: datetime = Field(sa_type=UTC_TIME)


class OrderLine(SQLModel, table=True):
    """One product of an order; name and price are kept as they were."""

    __tablename__ = "order_line"

    order_id: UUID = Field(foreign_key="order.id", primary_key=True)
    position: int = Field(primary_key=True)
    product_row_id: UUID = Field(foreign_key="product.id")
    product_id: str = Field(max_length=64)
    name: str = Field(max_length=200)
    quantity: int
    price_minor: int = Field(sa_column=Column(BigInteger, nullable=False))


# Built once: building them took a third of what a look-up cost.
_STORE_ID: Any = bindparam("store_id", type_=Uuid())
_OPENED_BY_STORE = select(Order).where(col(Order.id) == bindparam("order_id"), col(Order.store_id) == _STORE_ID)
# In the same statement: who asks for one order pays for one look-up.
_OPENED_BY_PERSON = _OPENED_BY_STORE.where(
    select(Membership.id)
    .where(
        col(Membership.store_id) == _STORE_ID,
        col(Membership.user_id) == bindparam("person"),
        or_(col(Membership.customer_id) == col(Order.customer_id), col(Membership.role).in_(STAFF_ROLES)),
    )
    .exists()
)
_LOCKED_BY_STORE, _LOCKED_BY_PERSON = _OPENED_BY_STORE.with_for_update(), _OPENED_BY_PERSON.with_for_update()
_LINES = (
    select(OrderLine)
    .where(col(OrderLine.order_id).in_(bindparam("order_ids", expanding=True)))
    .order_by(col(OrderLine.order_id), col(OrderLine.position))
)


def add_order(unit: Unit, order: Order, lines: Sequence[OrderLine]) -> None:
    unit.session.add(order)
    unit.session.flush()
    unit.session.add_all(lines)
    unit.session.flush()


def find_order(unit: Unit, store_id: UUID, order_id: UUID, person: UUID | None) -> Order | None:
    """The order, if it is this store's and (where a person asks) theirs, or they work there."""
    statement = _OPENED_BY_STORE if person is None else _OPENED_BY_PERSON
    return unit.session.exec(statement, params=_names(store_id, order_id, person)).first()


def lock_order(unit: Unit, store_id: UUID, order_id: UUID, person: UUID | None) -> Order | None:
    """The same, and nobody else changes it until this transaction ends."""
    statement = _LOCKED_BY_STORE if person is None else _LOCKED_BY_PERSON
    return unit.session.exec(statement, params=_names(store_id, order_id, person)).first()


def save_order(unit: Unit, order: Order) -> None:
    unit.session.add(order)
    unit.session.flush()


def list_lines(unit: Unit, order_ids: Sequence[UUID]) -> dict[UUID, list[OrderLine]]:
    """The lines of each of these orders, in the order in which they were asked for."""
    lines: dict[UUID, list[OrderLine]] = {order_id: [] for order_id in order_ids}
    if order_ids:
        for line in unit.session.exec(_LINES, params={"order_ids": order_ids}):
            lines[line.order_id].append(line)
    return lines


def list_orders(
    unit: Unit,
    store_id: UUID,
    *,
    customer_id: str | None,
    status: str | None,
    after: UUID | None,
    offset: int,
    limit: int,
    total: int,
) -> list[Order]:
    """Newest first; `after` goes on behind that order, whatever arrived since.

    `total` says how many match, so that what lies nearer to the oldest is counted off from there.
    """
    wanted = _chosen(store_id, customer_id, status)
    if after is not None:
        wanted.append(col(Order.id) < after)
    newest, oldest = col(Order.id).desc(), col(Order.id).asc()
    end, passed = newest, offset
    if after is None and offset > total // 2:
        limit = min(limit, total - offset)
        end, passed = oldest, total - offset - limit
    if limit <= 0:
        return []
    # The page is found in an index alone, whatever is passed over, and only its own rows are read. The limit stands in
    # the statement: PostgreSQL would plan for a tenth of the table where it is a parameter.
    most = bindparam("most", limit, Integer, literal_execute=True)
    page = select(Order.id).where(*wanted).order_by(end).limit(most)
    page = page.offset(passed) if passed else page
    return list(unit.session.exec(select(Order).where(col(Order.id).in_(page)).order_by(newest)))


def count_orders(unit: Unit, store_id: UUID, *, customer_id: str | None, status: str | None) -> int:
    chosen = _chosen(store_id, customer_id, status)
    return unit.session.exec(select(func.count()).select_from(Order).where(*chosen)).one()


def _names(store_id: UUID, order_id: UUID, person: UUID | None) -> dict[str, UUID | None]:
    return {"store_id": store_id, "order_id": order_id, "person": person}


def _chosen(store_id: UUID, customer_id: str | None, status: str | None) -> list[Any]:
    chosen: list[Any] = [col(Order.store_id) == store_id]
    if customer_id is not None:
        chosen.append(col(Order.customer_id) == customer_id)
    if status is not None:
        chosen.append(col(Order.status) == status)
    return chosen
