"""Leases: the right of one process, for a time, to do what needs doing once."""

from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, SQLModel, col, insert, select, update

from authsrv.storage.columns import UTC_TIME
from authsrv.storage.unit import Unit


class Lease(SQLModel, table=True):
    """Who holds the right, and until when."""

    __tablename__ = "lease"

    name: str = Field(primary_key=True, max_length=40)
    holder: str = Field(max_length=64)
    expires_at: datetime = Field(sa_type=UTC_TIME)


def take_lease(unit: Unit, name: str, holder: str, lasts: timedelta) -> bool:
    """Takes or keeps the lease: one conditional UPDATE decides between all who ask at once."""
    now = unit.now()
    if find_lease(unit, name) is None:
        try:
            with unit.session.begin_nested():
                unit.session.execute(insert(Lease).values(name=name, holder=holder, expires_at=now))
        except IntegrityError:
            return False  # another process made it in the same moment
    taken = unit.change(
        update(Lease)
        .where(col(Lease.name) == name, (col(Lease.holder) == holder) | (col(Lease.expires_at) <= now))
        .values(holder=holder, expires_at=now + lasts)
    )
    return taken == 1


def find_lease(unit: Unit, name: str) -> Lease | None:
    return unit.session.exec(select(Lease).where(Lease.name == name)).first()
