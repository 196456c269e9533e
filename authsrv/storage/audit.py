"""The audit log: what happened to whom, by whom and when; never a secret."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel, col, delete, select

from authsrv.storage.columns import UTC_TIME
from authsrv.storage.unit import Unit


class AuditEvent(SQLModel, table=True):
    """One event; `actor` is who did it (an e-mail, a client id, `cli`, `authsrv`), `subject` what it was done to."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("ix_audit_event_event_id", "event", "id"),
        Index("ix_audit_event_actor_id", "actor", "id"),
    )

    id: UUID = Field(primary_key=True)
    event: str = Field(max_length=60)
    actor: str = Field(max_length=512)
    subject: str = Field(max_length=512, index=True)
    details: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(sa_type=UTC_TIME, index=True)


def add_audit_event(unit: Unit, event: str, *, actor: str, subject: str, **details: str | int | None) -> None:
    """Writes an event in the transaction of the deed itself."""
    unit.session.add(
        AuditEvent(id=unit.new_id(), event=event, actor=actor, subject=subject, details=details, created_at=unit.now())
    )


def list_audit_events(unit: Unit, *, subject: str | None = None, limit: int = 100) -> list[AuditEvent]:
    """The latest events, newest first."""
    query = select(AuditEvent).order_by(col(AuditEvent.id).desc()).limit(limit)
    if subject is not None:
        query = query.where(AuditEvent.subject == subject)
    return list(unit.session.exec(query))


def prune_audit_events(unit: Unit, older_than: datetime, batch: int) -> int:
    """Deletes up to `batch` events from before `older_than`; returns how many."""
    old = select(AuditEvent.id).where(col(AuditEvent.created_at) < older_than).limit(batch)
    return unit.change(delete(AuditEvent).where(col(AuditEvent.id).in_(old)))
