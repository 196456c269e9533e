"""Deliveries: messages to other servers, written in the transaction of what they tell of, sent until they arrive."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel, col, delete, select, update

from authsrv.storage.columns import UTC_TIME
from authsrv.storage.unit import Unit


class Delivery(SQLModel, table=True):
    """`kind` says who words and signs it at the time of sending; `body` holds what that needs, and no secret."""

    __tablename__ = "delivery"
    __table_args__ = (Index("ix_delivery_due_at_done_at", "due_at", "done_at"),)

    id: UUID = Field(primary_key=True)
    kind: str = Field(max_length=30)
    client_id: str = Field(max_length=512, index=True)
    url: str = Field(max_length=2000)
    body: str
    attempts: int = 0
    due_at: datetime = Field(sa_type=UTC_TIME)
    done_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    last_status: int | None = None
    last_error: str | None = Field(default=None, max_length=300)
    created_at: datetime = Field(sa_type=UTC_TIME)
    expires_at: datetime = Field(sa_type=UTC_TIME, index=True)


def add_delivery(unit: Unit, delivery: Delivery) -> None:
    unit.session.add(delivery)
    unit.session.flush()


def claim_deliveries(unit: Unit, until: datetime, limit: int) -> list[Delivery]:
    """Takes up to `limit` due deliveries for this process until then; no two processes get the same one.

    PostgreSQL skips rows another one is taking; SQLite has one writer. Who dies with a claim loses it at `until`.
    """
    now = unit.now()
    due = (
        select(Delivery.id)
        .where(col(Delivery.done_at).is_(None), col(Delivery.due_at) <= now, col(Delivery.expires_at) > now)
        .order_by(col(Delivery.due_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list(unit.session.exec(due))
    if not ids:
        return []
    unit.change(update(Delivery).where(col(Delivery.id).in_(ids)).values(due_at=until, attempts=Delivery.attempts + 1))
    claimed = select(Delivery).where(col(Delivery.id).in_(ids)).order_by(col(Delivery.id))
    return list(unit.session.exec(claimed.execution_options(populate_existing=True)))


def finish_delivery(unit: Unit, delivery_id: UUID, status: int) -> None:
    """It arrived."""
    changes = {"done_at": unit.now(), "last_status": status, "last_error": None}
    unit.change(update(Delivery).where(col(Delivery.id) == delivery_id).values(**changes))


def postpone_delivery(unit: Unit, delivery_id: UUID, due_at: datetime, status: int | None, error: str) -> None:
    """It did not arrive: again at `due_at`."""
    changes = {"due_at": due_at, "last_status": status, "last_error": error[:300]}
    unit.change(update(Delivery).where(col(Delivery.id) == delivery_id).values(**changes))


def prune_deliveries(unit: Unit, batch: int) -> int:
    """Deletes up to `batch` that are past their time; returns how many."""
    old = select(Delivery.id).where(col(Delivery.expires_at) < unit.now()).limit(batch)
    return unit.change(delete(Delivery).where(col(Delivery.id).in_(old)))
