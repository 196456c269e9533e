"""Client assertions that were used: each `jti` once (RFC 7523, 3), until the assertion has expired by itself."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel, col, delete, select

from authsrv.storage.columns import UTC_TIME
from authsrv.storage.unit import Unit


class UsedAssertion(SQLModel, table=True):
    """A `jti` of a client, as its SHA-256 in hex: the text is the client's and may be long."""

    __tablename__ = "used_assertion"
    __table_args__ = (UniqueConstraint("client_id", "jti_digest"),)

    id: UUID = Field(primary_key=True)
    client_id: str = Field(max_length=512)
    jti_digest: str = Field(max_length=64)
    expires_at: datetime = Field(sa_type=UTC_TIME, index=True)


_TABLE: Any = UsedAssertion.__table__  # type: ignore[attr-defined]  # SQLModel makes it
# Asked with every token request of a client that signs: on PostgreSQL (True) and on SQLite (False).
_TAKE = {
    is_postgresql: insert(_TABLE).on_conflict_do_nothing()
    for is_postgresql, insert in ((True, postgresql.insert), (False, sqlite.insert))
}


def take_assertion(unit: Unit, client_id: str, jti_digest: str, expires_at: datetime) -> bool:
    """Uses the assertion up; False when it was used before. The unique constraint decides between two at once."""
    values = {"id": unit.new_id(), "client_id": client_id, "jti_digest": jti_digest, "expires_at": expires_at}
    return unit.change(_TAKE[unit.is_postgresql], values) == 1


def prune_assertions(unit: Unit, batch: int) -> int:
    """Deletes up to `batch` that have expired; returns how many."""
    old = select(UsedAssertion.id).where(col(UsedAssertion.expires_at) < unit.now()).limit(batch)
    return unit.change(delete(UsedAssertion).where(col(UsedAssertion.id).in_(old)))
