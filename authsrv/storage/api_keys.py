"""API keys: long-lived credentials that a developer made for a store, stored as SHA-256."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, or_
from sqlmodel import Field, SQLModel, col, select, update

from authsrv.storage.clients import Client
from authsrv.storage.columns import UTC_TIME
from authsrv.storage.revocations import add_revocation
from authsrv.storage.stores import Store
from authsrv.storage.unit import NEWS_LIVES, NoticeKind, Unit
from authsrv.storage.users import User


class ApiKey(SQLModel, table=True):
    """`key_id` is the public part, by which it is looked up; `digest` that of the whole key."""

    __tablename__ = "api_key"

    id: UUID = Field(primary_key=True)
    key_id: str = Field(max_length=32, unique=True)
    name: str = Field(max_length=200)
    developer_id: UUID = Field(foreign_key="user.id", index=True)
    store_id: UUID = Field(foreign_key="store.id", index=True)
    # The app it was made for in the portal; None for one of the command line.
    client_id: UUID | None = Field(default=None, foreign_key="client.id", index=True)
    scope: str = Field(max_length=2000)
    digest: bytes
    last_four: str = Field(max_length=4)
    last_used_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    revoked_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    created_at: datetime = Field(sa_type=UTC_TIME)
    expires_at: datetime | None = Field(default=None, sa_type=UTC_TIME)


_TABLE: Any = ApiKey.__table__  # type: ignore[attr-defined]  # SQLModel makes it
_NOTE_USE = (
    update(_TABLE)
    .where(
        _TABLE.c.key_id == bindparam("used_key"),
        or_(_TABLE.c.last_used_at.is_(None), _TABLE.c.last_used_at < bindparam("used_at")),
    )
    .values(last_used_at=bindparam("used_at"))
)


def add_api_key(unit: Unit, key: ApiKey) -> None:
    unit.session.add(key)
    unit.session.flush()
    announce_api_key(unit, key.key_id)


def find_api_key(unit: Unit, key_id: str) -> tuple[ApiKey, str] | None:
    """The key and its store's prefix; nobody finds one whose app is suspended or gone."""
    is_dead = col(Client.suspended_at).is_not(None) | col(Client.deleted_at).is_not(None)
    dead = select(Client.id).where(col(Client.id) == col(ApiKey.client_id), is_dead)
    query = select(ApiKey, Store.prefix).join(Store, col(Store.id) == col(ApiKey.store_id))
    return unit.session.exec(query.where(ApiKey.key_id == key_id, ~dead.exists())).first()


def find_key_row(unit: Unit, key_id: str) -> ApiKey | None:
    """The key, whatever became of it and of its app."""
    return unit.session.exec(select(ApiKey).where(ApiKey.key_id == key_id)).first()


def list_app_keys(unit: Unit, client_row_id: UUID) -> list[tuple[ApiKey, str]]:
    """The keys of an app, newest first, revoked ones included, each with its store's prefix."""
    query = select(ApiKey, Store.prefix).join(Store, col(Store.id) == col(ApiKey.store_id))
    return list(unit.session.exec(query.where(ApiKey.client_id == client_row_id).order_by(col(ApiKey.id).desc())))


def list_store_keys(unit: Unit, store_id: UUID) -> list[tuple[ApiKey, str, str | None]]:
    """The keys of a store that were not revoked, newest first, each with its developer's address and its app's name."""
    query = (
        select(ApiKey, User.email, Client.name)
        .join(User, col(User.id) == col(ApiKey.developer_id))
        .join(Client, col(Client.id) == col(ApiKey.client_id), isouter=True)
        .where(ApiKey.store_id == store_id, col(ApiKey.revoked_at).is_(None))
        .order_by(col(ApiKey.id).desc())
    )
    return list(unit.session.exec(query))


def list_api_keys(unit: Unit, *, store_id: UUID | None = None, developer_id: UUID | None = None) -> list[ApiKey]:
    """Newest first, revoked ones included."""
    query = select(ApiKey).order_by(col(ApiKey.id).desc())
    if store_id is not None:
        query = query.where(ApiKey.store_id == store_id)
    if developer_id is not None:
        query = query.where(ApiKey.developer_id == developer_id)
    return list(unit.session.exec(query))


def revoke_api_key(unit: Unit, key_id: str) -> bool:
    """Ends the key everywhere within a second; False when there is none, or it had ended."""
    ended = unit.change(
        update(ApiKey)
        .where(col(ApiKey.key_id) == key_id, col(ApiKey.revoked_at).is_(None))
        .values(revoked_at=unit.now())
    )
    if ended:
        announce_api_key(unit, key_id)
    return ended == 1


def note_key_uses(unit: Unit, uses: Sequence[tuple[str, datetime]]) -> None:
    """When which keys (key id) were last used, as far as anybody wrote it down: never set back.

    Sorted: two processes must not wait for each other's rows in a circle.
    """
    unit.session.execute(_NOTE_USE, [{"used_key": key_id, "used_at": at} for key_id, at in uses])


def announce_keys_of(unit: Unit, client_row_id: UUID) -> None:
    """The same for all living keys of an app that was suspended, resumed or deleted."""
    living = select(ApiKey.key_id).where(ApiKey.client_id == client_row_id, col(ApiKey.revoked_at).is_(None))
    for key_id in unit.session.exec(living).all():
        announce_api_key(unit, key_id)


def announce_api_key(unit: Unit, key_id: str) -> None:
    """Tells every process to look the key up anew."""
    add_revocation(unit, NoticeKind.API_KEY_CHANGED, key_id, unit.now() + NEWS_LIVES)
