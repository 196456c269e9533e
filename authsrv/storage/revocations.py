"""The feed: an append-only list of what was taken back or changed, read by every process (RFC 7009's memory for JWTs).

Transactions commit out of order, so "everything after the last one I saw" loses lines. On PostgreSQL a line carries its
transaction's number, and a reading starts again at the oldest transaction that was still open at the reading before it.
SQLite has one writer, so there the line's number is its place in the order of commits.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, FetchedValue, Integer, bindparam, literal_column
from sqlalchemy import select as select_columns
from sqlmodel import Field, SQLModel, col, delete, insert, select

from authsrv.storage.columns import UTC_TIME
from authsrv.storage.unit import Notice, NoticeKind, Unit

CHANNEL = "authsrv_feed"
_KINDS = frozenset(NoticeKind)


class Revocation(SQLModel, table=True):
    """A line of the feed."""

    __tablename__ = "revocation"

    number: int = Field(
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    )
    id: UUID = Field(unique=True)
    kind: str = Field(max_length=20)
    subject: str = Field(max_length=512)
    expires_at: datetime = Field(sa_type=UTC_TIME, index=True)
    # PostgreSQL fills it in: pg_current_xact_id().
    transaction_id: int | None = Field(sa_column=Column(BigInteger, FetchedValue(), index=True, nullable=True))

    __table_args__ = {"sqlite_autoincrement": True}


_LINE: Any = select_columns(
    col(Revocation.number),
    col(Revocation.id),
    col(Revocation.kind),
    col(Revocation.subject),
    col(Revocation.expires_at),
)
_SQLITE_LINES = _LINE.where(col(Revocation.number) > bindparam("horizon"))
_SNAPSHOT: Any = select_columns(
    literal_column("pg_snapshot_xmin(pg_current_snapshot())::text::bigint").label("oldest_open")
).subquery()
_POSTGRESQL_LINE = _LINE.where(col(Revocation.transaction_id) >= bindparam("horizon")).subquery()
# The LEFT JOIN makes one statement of it, so that lines and horizon come from one snapshot.
_POSTGRESQL_LINES = select_columns(_SNAPSHOT, _POSTGRESQL_LINE).join_from(
    _SNAPSHOT, _POSTGRESQL_LINE, literal_column("true"), isouter=True
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a look at the feed found, and where the next look must start."""

    notices: tuple[Notice, ...]
    horizon: int


def add_revocation(unit: Unit, kind: NoticeKind, subject: str, expires_at: datetime) -> Notice:
    """Writes a line: one INSERT. Its own process hears of it right after the commit, the others within a second."""
    notice = Notice(unit.new_id(), kind, subject, expires_at)
    unit.session.execute(
        insert(Revocation).values(id=notice.id, kind=kind.value, subject=subject, expires_at=expires_at)
    )
    unit.notices.append(notice)
    return notice


def read_feed(unit: Unit, horizon: int) -> Reading:
    """All live lines that may have become visible since the reading that gave `horizon`; 0 reads everything."""
    return _read_postgresql(unit, horizon) if unit.is_postgresql else _read_sqlite(unit, horizon)


def prune_revocations(unit: Unit, batch: int) -> int:
    """Deletes up to `batch` lines that no living token can meet any more; returns how many."""
    expired = (
        select(Revocation.number)
        .where(col(Revocation.expires_at) < unit.now())
        .order_by(col(Revocation.expires_at))
        .limit(batch)
    )
    return unit.change(delete(Revocation).where(col(Revocation.number).in_(expired)))


def _read_sqlite(unit: Unit, horizon: int) -> Reading:
    rows = unit.session.execute(_SQLITE_LINES, {"horizon": horizon}).all()
    return Reading(_live(rows, unit.now()), max((row.number for row in rows), default=horizon))


def _read_postgresql(unit: Unit, horizon: int) -> Reading:
    rows = unit.session.execute(_POSTGRESQL_LINES, {"horizon": horizon}).all()
    return Reading(_live([row for row in rows if row.id is not None], unit.now()), rows[0].oldest_open)


def _live(rows: Any, now: datetime) -> tuple[Notice, ...]:
    # While a newer version is rolled out beside this one, it may speak of what this one does not know.
    return tuple(
        Notice(row.id, NoticeKind(row.kind), row.subject, row.expires_at)
        for row in rows
        if row.expires_at > now and row.kind in _KINDS
    )
