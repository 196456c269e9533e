"""Stores: the shops whose customers, apps and orders are kept apart."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel, select

from authsrv.storage.columns import UTC_TIME
from authsrv.storage.revocations import add_revocation
from authsrv.storage.unit import NEWS_LIVES, NoticeKind, Unit


class Store(SQLModel, table=True):
    """One shop; `prefix` names it in host names and tokens, `currency` is ISO 4217."""

    __tablename__ = "store"

    id: UUID = Field(primary_key=True)
    prefix: str = Field(max_length=40, unique=True)
    name: str = Field(max_length=200)
    currency: str = Field(max_length=3)
    created_at: datetime = Field(sa_type=UTC_TIME)


def add_store(unit: Unit, *, prefix: str, name: str, currency: str) -> Store:
    store = Store(id=unit.new_id(), prefix=prefix, name=name, currency=currency, created_at=unit.now())
    unit.session.add(store)
    unit.session.flush()
    # Whoever asked for it before it was there was told so, and remembers.
    add_revocation(unit, NoticeKind.STORE_CHANGED, prefix, unit.now() + NEWS_LIVES)
    return store


def find_store(unit: Unit, prefix: str) -> Store | None:
    return unit.session.exec(select(Store).where(Store.prefix == prefix)).first()


def find_store_by_id(unit: Unit, store_id: UUID) -> Store | None:
    return unit.session.get(Store, store_id)
