"""The audit log: what happened to whom, by whom and when; never a secret."""

from dataclasses import dataclass
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
        Index("ix_audit_event_subject_event_id", "subject", "event", "id"),
        Index("ix_audit_event_event_id", "event", "id"),
        Index("ix_audit_event_actor_id", "actor", "id"),
    )

    id: UUID = Field(primary_key=True)
    event: str = Field(max_length=60)
    actor: str = Field(max_length=512)
    subject: str = Field(max_length=512)
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


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which events are wanted; what is None does not matter. `event` may end in `*`: all that begin so."""

    event: str | None = None
    actor: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def search_audit_events(unit: Unit, wanted: AuditFilter, *, before: UUID | None = None, limit: int) -> list[AuditEvent]:
    """Up to `limit` events, newest first, older than the event `before`."""
    query = select(AuditEvent).order_by(col(AuditEvent.id).desc()).limit(limit)
    if wanted.event is not None and wanted.event.endswith("*"):
        query = query.where(col(AuditEvent.event).startswith(wanted.event[:-1], autoescape=True))
    elif wanted.event is not None:
        query = query.where(AuditEvent.event == wanted.event)
    if wanted.actor is not None:
        query = query.where(AuditEvent.actor == wanted.actor)
    if wanted.subject is not None:
        query = query.where(AuditEvent.subject == wanted.subject)
    if wanted.since is not None:
        query = query.where(col(AuditEvent.created_at) >= wanted.since)
    if wanted.until is not None:
        query = query.where(col(AuditEvent.created_at) < wanted.until)
    if before is not None:
        query = query.where(col(AuditEvent.id) < before)
    return list(unit.session.exec(query))


def prune_audit_events(unit: Unit, older_than: datetime, batch: int) -> int:
    """Deletes up to `batch` events from before `older_than`; returns how many."""
    old = select(AuditEvent.id).where(col(AuditEvent.created_at) < older_than).limit(batch)
    return unit.change(delete(AuditEvent).where(col(AuditEvent.id).in_(old)))
