"""Grants: one row for all that one authorization leads to, its code and its refresh tokens included."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Column, false
from sqlmodel import Field, SQLModel, col, select, update

from authsrv.storage.clients import Client
from authsrv.storage.columns import UTC_TIME
from authsrv.storage.revocations import add_revocation
from authsrv.storage.stores import Store
from authsrv.storage.unit import NoticeKind, Unit
from authsrv.storage.users import User


class Grant(SQLModel, table=True):
    """Who let whom do what, where and when; what a refresh changes is in no index, so PostgreSQL updates in place."""

    __tablename__ = "grant"
    # Room in each page for the next version of a row: updates stay heap-only (HOT).
    __table_args__ = {"postgresql_with": {"fillfactor": 70}}

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="user.id", index=True)
    client_id: UUID = Field(foreign_key="client.id", index=True)
    store_id: UUID | None = Field(default=None, foreign_key="store.id", index=True)
    scope: str = Field(max_length=2000)
    requested_scope: str = Field(max_length=2000)
    session_id: UUID | None = Field(default=None)
    amr: str = Field(default="", max_length=40, sa_column_kwargs={"server_default": ""})
    audience: list[str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    # The claims asked for one by one (OIDC Core 5.5).
    claims: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    # Whether redeeming the code brought a refresh token.
    is_refreshable: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    code_expires_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    auth_time: datetime = Field(sa_type=UTC_TIME)
    redirect_uri: str | None = Field(default=None, max_length=2000)
    code_challenge: str | None = Field(default=None, max_length=128)
    nonce: str | None = Field(default=None, max_length=512)
    redeemed_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    generation: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    refreshed_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    revoked_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    created_at: datetime = Field(sa_type=UTC_TIME)
    expires_at: datetime = Field(sa_type=UTC_TIME, index=True)


def revoke_grant(unit: Unit, grant_id: UUID, tokens_end_at: datetime) -> bool:
    """Ends a living grant and, by the feed, its access tokens, which expire at `tokens_end_at` at the latest.

    False when there is none, or it had ended before.
    """
    ended = unit.session.execute(
        update(Grant)
        .where(col(Grant.id) == grant_id, col(Grant.revoked_at).is_(None))
        .values(revoked_at=unit.now())
        .returning(col(Grant.id))
    )
    if ended.first() is None:
        return False
    add_revocation(unit, NoticeKind.GRANT, str(grant_id), tokens_end_at)
    return True


def list_grants(
    unit: Unit, *, email: str | None = None, client_id: str | None = None
) -> list[tuple[Grant, str, str, str | None]]:
    """Living grants, newest first, each with its client's id, its user's e-mail and its store's prefix."""
    query = (
        select(Grant, Client.client_id, User.email, Store.prefix)
        .join(Client, col(Client.id) == col(Grant.client_id))
        .join(User, col(User.id) == col(Grant.user_id))
        .join(Store, col(Store.id) == col(Grant.store_id), isouter=True)
        .where(col(Grant.revoked_at).is_(None), col(Grant.expires_at) > unit.now())
        .order_by(col(Grant.id).desc())
    )
    if email is not None:
        query = query.where(User.email == email)
    if client_id is not None:
        query = query.where(Client.client_id == client_id)
    return [(grant, of_client, of_user, store) for grant, of_client, of_user, store in unit.session.exec(query)]


def prune_grants(unit: Unit, batch: int) -> int:
    """Deletes up to `batch` grants whose absolute end has passed; returns how many."""
    expired = select(Grant).where(col(Grant.expires_at) < unit.now()).order_by(col(Grant.expires_at)).limit(batch)
    grants = list(unit.session.exec(expired))
    for grant in grants:
        unit.session.delete(grant)
    return len(grants)
