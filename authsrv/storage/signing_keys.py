"""Signing keys as they are stored: sealed, with the times at which each is shown, signs, and goes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Field, SQLModel, col, delete, select

from authsrv.storage.columns import UTC_TIME
from authsrv.storage.revocations import add_revocation
from authsrv.storage.unit import NEWS_LIVES, NoticeKind, Unit

# Any number nobody else in this database uses: "asrvkeys" as ASCII.
_LOCK = int.from_bytes(b"asrvkeys", "big")


class SigningKey(SQLModel, table=True):
    """Shown from `created_at`; signs from `signs_at` until a later key of its algorithm does; gone at `expires_at`."""

    __tablename__ = "signing_key"

    id: UUID = Field(primary_key=True)
    kid: str = Field(max_length=64, unique=True)
    algorithm: str = Field(max_length=10)
    sealed_jwk: bytes
    created_at: datetime = Field(sa_type=UTC_TIME)
    signs_at: datetime = Field(sa_type=UTC_TIME)
    expires_at: datetime | None = Field(default=None, sa_type=UTC_TIME, index=True)


def list_signing_keys(unit: Unit) -> list[SigningKey]:
    """All keys that are still shown, oldest first."""
    shown = (col(SigningKey.expires_at).is_(None)) | (col(SigningKey.expires_at) > unit.now())
    return list(unit.session.exec(select(SigningKey).where(shown).order_by(col(SigningKey.id))))


def add_signing_key(unit: Unit, key: SigningKey) -> None:
    unit.session.add(key)
    unit.session.flush()
    announce_keys(unit)


def lock_signing_keys(unit: Unit) -> None:
    """Makes this transaction the only one that decides about keys, until it ends. A SQLite writer is alone anyway."""
    if unit.is_postgresql:
        unit.session.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def announce_keys(unit: Unit) -> None:
    """Tells every process to read the keys again."""
    add_revocation(unit, NoticeKind.KEYS_CHANGED, "all", unit.now() + NEWS_LIVES)


def prune_signing_keys(unit: Unit, batch: int) -> int:
    """Deletes up to `batch` keys that no living token was signed with; returns how many."""
    expired = select(SigningKey.id).where(col(SigningKey.expires_at) < unit.now()).limit(batch)
    gone = unit.change(delete(SigningKey).where(col(SigningKey.id).in_(expired)))
    if gone:
        announce_keys(unit)
    return gone
