"""Who belongs to a store: the few who work there, and its customers, however many; the last owner cannot leave."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_
from sqlalchemy import select as select_columns
from sqlalchemy.orm import aliased
from sqlmodel import col, func, select, update

from authsrv.storage.stores import Store
from authsrv.storage.unit import Unit
from authsrv.storage.users import CUSTOMER, OWNER, STAFF, STAFF_ROLES, Membership, User


@dataclass(frozen=True, slots=True)
class StorePerson:
    """A person in a store; `membership_id` orders customers by when they came."""

    membership_id: UUID
    user_id: UUID
    email: str
    name: str
    role: str
    customer_id: str
    may_use_customer_api: bool
    since: datetime


def find_workplace(unit: Unit, user_id: UUID, prefix: str) -> tuple[Store, str] | None:
    """The store and the person's role there; None where they do not work, or there is no such store."""
    query = select(Store, Membership.role).join(Membership, col(Membership.store_id) == col(Store.id))
    works = col(Membership.role).in_(STAFF_ROLES)
    return unit.session.exec(query.where(Store.prefix == prefix, Membership.user_id == user_id, works)).first()


def list_workplaces(unit: Unit, user_id: UUID) -> list[tuple[Store, str]]:
    """The stores in which the person works, by name, with their role in each."""
    query = (
        select(Store, Membership.role)
        .join(Membership, col(Membership.store_id) == col(Store.id))
        .where(Membership.user_id == user_id, col(Membership.role).in_(STAFF_ROLES))
        .order_by(Store.name, Store.prefix)
    )
    return list(unit.session.exec(query))


def list_staff(unit: Unit, store_id: UUID) -> list[StorePerson]:
    """Who works in the store, owners first."""
    query = _people(store_id).where(col(Membership.role).in_(STAFF_ROLES))
    rows = unit.session.execute(query.order_by(col(Membership.role), col(User.email)))
    return [StorePerson(*row) for row in rows]


def search_customers(unit: Unit, store_id: UUID, words: str, *, before: UUID | None, limit: int) -> list[StorePerson]:
    """Customers by address, name or number, the latest first; from behind the membership `before`."""
    query = _people(store_id).where(col(Membership.role) == CUSTOMER)
    if words:
        columns = (col(User.email), col(User.name), col(Membership.customer_id))
        query = query.where(or_(*(column.icontains(words, autoescape=True) for column in columns)))
    if before is not None:
        query = query.where(col(Membership.id) < before)
    rows = unit.session.execute(query.order_by(col(Membership.id).desc()).limit(limit))
    return [StorePerson(*row) for row in rows]


def count_allowed(unit: Unit, store_id: UUID) -> tuple[int, int]:
    """How many customers may use the Customer API, and how many there are."""
    of_store = col(Membership.store_id) == store_id, col(Membership.role) == CUSTOMER
    allowed = func.count().filter(col(Membership.may_use_customer_api))
    columns: Any = (allowed, func.count())
    row = unit.session.execute(select_columns(*columns).select_from(Membership).where(*of_store)).one()
    return row[0], row[1]


def lock_store(unit: Unit, store_id: UUID) -> None:
    """Lets one transaction at a time change who works in the store."""
    same = update(Store).where(col(Store.id) == store_id).values(name=col(Store.name))
    unit.change(same.execution_options(synchronize_session=False))


def make_staff(unit: Unit, *, store_id: UUID, user_id: UUID, role: str) -> bool:
    """Raises a customer, or a member of staff, to the role; False for who has it, or a higher one, already."""
    below = (CUSTOMER, STAFF) if role == OWNER else (CUSTOMER,)
    return _change(unit, store_id, user_id, role, col(Membership.role).in_(below))


def end_staff(unit: Unit, *, store_id: UUID, user_id: UUID) -> bool:
    """Who worked in the store is its customer again; False for who does not work there, and for the last owner.

    Under the store's lock (`lock_store`): two owners who remove each other at once must see each other.
    """
    other = aliased(Membership)
    another = select(other.id).where(other.store_id == store_id, other.user_id != user_id, other.role == OWNER)
    may_go = (col(Membership.role) == STAFF) | ((col(Membership.role) == OWNER) & another.exists())
    return _change(unit, store_id, user_id, CUSTOMER, may_go)


def _change(unit: Unit, store_id: UUID, user_id: UUID, role: str, condition: Any) -> bool:
    changed = (
        update(Membership)
        .where(col(Membership.store_id) == store_id, col(Membership.user_id) == user_id, condition)
        .values(role=role)
        .execution_options(synchronize_session=False)
    )
    return unit.change(changed) == 1


def _people(store_id: UUID) -> Any:
    of_membership: Any = (Membership.id, Membership.user_id, User.email, User.name, Membership.role)
    of_customer: Any = (Membership.customer_id, Membership.may_use_customer_api, Membership.created_at)
    query = select_columns(*of_membership, *of_customer).join(User, col(User.id) == col(Membership.user_id))
    return query.where(col(Membership.store_id) == store_id)
