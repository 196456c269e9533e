"""What an operator looks for: apps, people and stores by a part of their names, a page at a time, newest first."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_
from sqlalchemy import select as select_columns
from sqlmodel import col, func, select

from authsrv.storage.client_members import ClientMember
from authsrv.storage.clients import Client
from authsrv.storage.grants import Grant
from authsrv.storage.stores import Store
from authsrv.storage.unit import Unit
from authsrv.storage.users import STAFF_ROLES, Membership, User


@dataclass(frozen=True, slots=True)
class StoreRole:
    """What a person is in a store."""

    prefix: str
    name: str
    role: str


def search_clients(unit: Unit, words: str, *, before: UUID | None = None, limit: int) -> list[tuple[Client, str]]:
    """Apps by name, id or their developer's address, each with that address; what acts for one customer is left out."""
    query = select(Client, User.email).join(User, col(User.id) == col(Client.developer_id))
    query = query.where(col(Client.deleted_at).is_(None), col(Client.user_id).is_(None))
    if words:
        query = query.where(_has(words, Client.name, Client.client_id, User.email))
    if before is not None:
        query = query.where(col(Client.id) < before)
    return list(unit.session.exec(query.order_by(col(Client.id).desc()).limit(limit)))


def search_users(unit: Unit, words: str, *, before: UUID | None = None, limit: int) -> list[User]:
    """People by address or name."""
    query = select(User)
    if words:
        query = query.where(_has(words, User.email, User.name))
    if before is not None:
        query = query.where(col(User.id) < before)
    return list(unit.session.exec(query.order_by(col(User.id).desc()).limit(limit)))


def search_stores(unit: Unit, words: str, *, before: UUID | None = None, limit: int) -> list[Store]:
    """Stores by prefix or name."""
    query = select(Store)
    if words:
        query = query.where(_has(words, Store.prefix, Store.name))
    if before is not None:
        query = query.where(col(Store.id) < before)
    return list(unit.session.exec(query.order_by(col(Store.id).desc()).limit(limit)))


def list_store_roles(unit: Unit, user_id: UUID) -> list[StoreRole]:
    """What the person is in which stores, by the stores' names."""
    query = (
        select(Store.prefix, Store.name, Membership.role)
        .join(Membership, col(Membership.store_id) == col(Store.id))
        .where(Membership.user_id == user_id)
        .order_by(Store.name, Store.prefix)
    )
    return [StoreRole(*row) for row in unit.session.exec(query)]


def find_areas(unit: Unit, user_id: UUID) -> list[str]:
    """Which pages beside the account are the person's: `store`, `developers`, `operator`; one statement."""
    works = select(Membership.id).where(Membership.user_id == user_id, col(Membership.role).in_(STAFF_ROLES)).exists()
    develops = select(ClientMember.user_id).where(ClientMember.user_id == user_id).exists()
    columns: Any = (works, develops, User.is_operator)
    row = unit.session.execute(select_columns(*columns).where(col(User.id) == user_id)).first()
    areas = zip(("store", "developers", "operator"), row or (), strict=False)
    return [area for area, is_theirs in areas if is_theirs]


def count_roles(unit: Unit, store_id: UUID) -> dict[str, int]:
    """How many people of each role the store has."""
    query = select(Membership.role, func.count()).where(Membership.store_id == store_id).group_by(col(Membership.role))
    return dict(unit.session.exec(query).all())


def count_living_grants(unit: Unit, *, client_row_id: UUID | None = None, user_id: UUID | None = None) -> int:
    """How many living grants an app, or a person, has."""
    living = [col(Grant.revoked_at).is_(None), col(Grant.expires_at) > unit.now()]
    if client_row_id is not None:
        living.append(col(Grant.client_id) == client_row_id)
    if user_id is not None:
        living.append(col(Grant.user_id) == user_id)
    return unit.session.exec(select(func.count()).select_from(Grant).where(*living)).one()


def _has(words: str, *columns: Any) -> ColumnElement[bool]:
    return or_(*(col(column).icontains(words, autoescape=True) for column in columns))
