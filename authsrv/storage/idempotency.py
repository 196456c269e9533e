"""Idempotency keys: the first answer to a request, given again to who repeats it (the Idempotency-Key HTTP header)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field, SQLModel, col, delete, func, select, update

from authsrv.storage.columns import UTC_TIME
from authsrv.storage.unit import Unit

# Any number nobody else in this database uses for locks: "idem" as ASCII.
_LOCK = int.from_bytes(b"idem", "big")


class IdempotencyKey(SQLModel, table=True):
    """A key of one credential: `request_digest` is a keyed digest of what was asked, in hex, `answer` what was said."""

    __tablename__ = "idempotency_key"
    __table_args__ = (UniqueConstraint("owner", "key_digest"),)

    id: UUID = Field(primary_key=True)
    owner: str = Field(max_length=600)
    key_digest: str = Field(max_length=64)
    request_digest: str = Field(max_length=64)
    answer: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    created_at: datetime = Field(sa_type=UTC_TIME)
    expires_at: datetime = Field(sa_type=UTC_TIME, index=True)


def take_idempotency_key(unit: Unit, owner: str, key_digest: str, request_digest: str, end: datetime) -> IdempotencyKey:
    """The key's row: a fresh one, without an answer, or the one that is there.

    Of two requests at once the second waits here until the first has committed; a SQLite writer is alone anyway.
    """
    if unit.is_postgresql:
        unit.session.execute(select(func.pg_advisory_xact_lock(_LOCK, func.hashtext(owner + key_digest))))
    query = select(IdempotencyKey).where(IdempotencyKey.owner == owner, IdempotencyKey.key_digest == key_digest)
    found = unit.session.exec(query).first()
    if found is not None and found.expires_at > unit.now():
        return found
    if found is not None:
        unit.session.delete(found)
        unit.session.flush()
    fresh = IdempotencyKey(
        id=unit.new_id(),
        owner=owner,
        key_digest=key_digest,
        request_digest=request_digest,
        created_at=unit.now(),
        expires_at=end,
    )
    unit.session.add(fresh)
    unit.session.flush()
    return fresh


def keep_answer(unit: Unit, key_id: UUID, answer: dict[str, Any]) -> None:
    """Remembers what was said, in the transaction that made it true."""
    unit.change(update(IdempotencyKey).where(col(IdempotencyKey.id) == key_id).values(answer=answer))


def prune_idempotency_keys(unit: Unit, batch: int) -> int:
    """Deletes up to `batch` that have expired; returns how many."""
    old = select(IdempotencyKey.id).where(col(IdempotencyKey.expires_at) < unit.now()).limit(batch)
    return unit.change(delete(IdempotencyKey).where(col(IdempotencyKey.id).in_(old)))
