"""Usage: how often each client did what, by day; a few rows a client and day, however many requests they stand for."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Column
from sqlalchemy import select as select_columns
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel, col, delete, func

from authsrv.storage.unit import Unit

# Rows that are sent together: as many as hold up nobody's request for long.
_BATCH = 500


class Usage(SQLModel, table=True):
    """`kind` is what was asked for, `reason` why it was refused, empty where it was not; `client_id` may be a key's."""

    __tablename__ = "usage"

    client_id: str = Field(primary_key=True, max_length=512)
    day: date = Field(primary_key=True, index=True)
    kind: str = Field(primary_key=True, max_length=10)
    reason: str = Field(primary_key=True, max_length=40)
    count: int = Field(sa_column=Column(BigInteger, nullable=False))


def _adding(insert: Any) -> Any:
    adding = insert(_TABLE)
    more = _TABLE.c.count + adding.excluded["count"]
    return adding.on_conflict_do_update(index_elements=list(_TABLE.primary_key), set_={"count": more})


_TABLE: Any = Usage.__table__  # type: ignore[attr-defined]  # SQLModel makes it
# For one row, so that it is compiled once: on PostgreSQL (True) and on SQLite (False).
_ADD = {True: _adding(postgresql.insert), False: _adding(sqlite.insert)}


@dataclass(frozen=True, slots=True, order=True)
class UsageKey:
    """What is counted together; in this order rows are written, so that no two processes wait in a circle."""

    client_id: str
    day: date
    kind: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DayCount:
    """How often a kind of request ended one way on one day."""

    day: date
    kind: str
    reason: str
    count: int


def add_usage(unit: Unit, counts: Mapping[UsageKey, int]) -> None:
    """Adds these counts to what is there: whoever else adds meanwhile loses nothing."""
    rows = [
        {"client_id": key.client_id, "day": key.day, "kind": key.kind, "reason": key.reason, "count": counts[key]}
        for key in sorted(counts)
    ]
    for start in range(0, len(rows), _BATCH):
        unit.session.execute(_ADD[unit.is_postgresql], rows[start : start + _BATCH])


def list_usage(unit: Unit, client_ids: Collection[str], since: date) -> list[DayCount]:
    """What these clients did together since that day, by day."""
    total = func.sum(col(Usage.count))
    columns: Any = (Usage.day, Usage.kind, Usage.reason, total)
    query = (
        select_columns(*columns)
        .where(col(Usage.client_id).in_(client_ids), col(Usage.day) >= since)
        .group_by(col(Usage.day), col(Usage.kind), col(Usage.reason))
        .order_by(col(Usage.day))
    )
    return [DayCount(day, kind, reason, int(count)) for day, kind, reason, count in unit.session.execute(query)]


def prune_usage(unit: Unit, older_than: date, batch: int) -> int:
    """Deletes up to `batch` rows of clients' days before `older_than`; returns how many."""
    columns: Any = (Usage.client_id, Usage.day)
    old = select_columns(*columns).where(col(Usage.day) < older_than).distinct().limit(batch)
    gone = 0
    for client_id, day in unit.session.execute(old).all():
        gone += unit.change(delete(Usage).where(col(Usage.client_id) == client_id, col(Usage.day) == day))
    return gone
