"""Clients that act for one person in one store: at most one for each, under whatever name it goes at the time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_
from sqlalchemy import select as select_columns
from sqlmodel import col, delete, select, update

from authsrv.storage.clients import Client, ClientSecret
from authsrv.storage.stores import Store
from authsrv.storage.unit import Unit
from authsrv.storage.users import CUSTOMER, Membership, User


@dataclass(frozen=True, slots=True)
class PersonalClient:
    """A store that lets the person have a client of their own, and the client, if there is one."""

    store_id: UUID
    prefix: str
    store_name: str
    client_id: str | None
    made_at: datetime | None


def list_personal_clients(unit: Unit, user_id: UUID) -> list[PersonalClient]:
    """Those of the person, in all stores that let them have one."""
    is_theirs = and_(
        col(Client.user_id) == col(Membership.user_id),
        col(Client.store_id) == col(Membership.store_id),
        col(Client.deleted_at).is_(None),
    )
    columns: Any = (Store.id, Store.prefix, Store.name, Client.client_id, Client.created_at)
    query = (
        select_columns(*columns)
        .join(Membership, col(Membership.store_id) == col(Store.id))
        .join(Client, is_theirs, isouter=True)
        .where(col(Membership.user_id) == user_id, col(Membership.may_use_customer_api))
        .order_by(col(Store.name), col(Store.prefix))
    )
    return [PersonalClient(*row) for row in unit.session.execute(query)]


def find_personal_client(unit: Unit, *, user_id: UUID, store_id: UUID) -> Client | None:
    """The person's client in the store, deleted or not, as the database has it now."""
    query = select(Client).where(Client.user_id == user_id, Client.store_id == store_id)
    return unit.session.exec(query.execution_options(populate_existing=True)).first()


def list_clients_of(unit: Unit, user_id: UUID) -> list[tuple[Client, bool]]:
    """The clients of the person's own, and whether the store of each allows it."""
    is_theirs = and_(col(Membership.user_id) == col(Client.user_id), col(Membership.store_id) == col(Client.store_id))
    query = select(Client, Membership.may_use_customer_api).join(Membership, is_theirs, isouter=True)
    query = query.where(Client.user_id == user_id, col(Client.deleted_at).is_(None))
    return [(client, bool(allowed)) for client, allowed in unit.session.exec(query)]


def change_permission(unit: Unit, *, user_id: UUID, store_id: UUID, allowed: bool) -> bool:
    """Whether the person may have a client of their own; False when they do not belong to the store."""
    changed = update(Membership).where(*_membership(user_id, store_id)).values(may_use_customer_api=allowed)
    return unit.change(changed.execution_options(synchronize_session=False)) == 1


def change_all_permissions(unit: Unit, store_id: UUID, *, allowed: bool) -> int:
    """The same for all customers of a store, in one statement; for how many it changed."""
    others = (
        col(Membership.store_id) == store_id,
        col(Membership.role) == CUSTOMER,
        col(Membership.may_use_customer_api).is_not(allowed),
    )
    changed = update(Membership).where(*others).values(may_use_customer_api=allowed)
    return unit.change(changed.execution_options(synchronize_session=False))


def list_clients_at(unit: Unit, store_id: UUID) -> list[Client]:
    """The clients of their own that customers of a store have; those of people who are suspended are left alone.

    Nobody of them is suspended until this transaction ends.
    """
    query = (
        select(Client)
        .join(User, col(User.id) == col(Client.user_id))
        .join(Membership, and_(col(Membership.user_id) == col(User.id), col(Membership.store_id) == store_id))
        .where(Client.store_id == store_id, col(Client.deleted_at).is_(None), col(User.suspended_at).is_(None))
        .where(Membership.role == CUSTOMER)
        .with_for_update(read=True, of=User)
    )
    return list(unit.session.exec(query))


def hold_permission(unit: Unit, *, user_id: UUID, store_id: UUID) -> bool:
    """Whether they may, and goes on so until this transaction ends: nobody takes it back meanwhile."""
    held = update(Membership).where(*_membership(user_id, store_id), col(Membership.may_use_customer_api))
    held = held.values(may_use_customer_api=True)
    return unit.change(held.execution_options(synchronize_session=False)) == 1


def delete_secrets(unit: Unit, client: Client, *, but: UUID | None = None) -> None:
    """What belonged to a name that the client no longer goes by; all `but` one."""
    gone = delete(ClientSecret).where(col(ClientSecret.client_id) == client.id)
    if but is not None:
        gone = gone.where(col(ClientSecret.id) != but)
    unit.change(gone.execution_options(synchronize_session=False))


def _membership(user_id: UUID, store_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return col(Membership.user_id) == user_id, col(Membership.store_id) == store_id
