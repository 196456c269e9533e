"""What developers ask the operator for: an app's approval, and changes of an app that was approved."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Column, Index, text
from sqlmodel import Field, SQLModel, col, select, update

from authsrv.storage.clients import Client
from authsrv.storage.columns import UTC_TIME
from authsrv.storage.unit import Unit

# What is asked for,
APP = "app"
CHANGE = "change"
# and what became of it.
OPEN = "open"
APPROVED = "approved"
REFUSED = "refused"
WITHDRAWN = "withdrawn"
_IS_OPEN = text("status = 'open'")


class ApprovalRequest(SQLModel, table=True):
    """One wish; `wanted` holds the new `name` and `redirect_uris` of a change. Of each kind one is open at a time."""

    __tablename__ = "approval_request"
    __table_args__ = (
        Index(
            "uq_approval_request_open",
            "client_id",
            "kind",
            unique=True,
            sqlite_where=_IS_OPEN,
            postgresql_where=_IS_OPEN,
        ),
    )

    id: UUID = Field(primary_key=True)
    client_id: UUID = Field(foreign_key="client.id")
    kind: str = Field(max_length=10)
    text: str = Field(max_length=2000)
    wanted: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    status: str = Field(max_length=10, index=True)
    reason: str = Field(default="", max_length=2000)
    asked_by: str = Field(max_length=254)
    decided_by: str | None = Field(default=None, max_length=254)
    created_at: datetime = Field(sa_type=UTC_TIME)
    decided_at: datetime | None = Field(default=None, sa_type=UTC_TIME)


def add_approval_request(unit: Unit, request: ApprovalRequest) -> None:
    """Raises IntegrityError where one of its kind is open already."""
    with unit.session.begin_nested():
        unit.session.add(request)


def find_approval_request(unit: Unit, request_id: UUID) -> tuple[ApprovalRequest, Client] | None:
    """The request and its app."""
    query = select(ApprovalRequest, Client).join(Client, col(Client.id) == col(ApprovalRequest.client_id))
    return unit.session.exec(query.where(ApprovalRequest.id == request_id)).first()


def find_open_request(unit: Unit, client_row_id: UUID, kind: str) -> ApprovalRequest | None:
    """The one that waits for the operator."""
    query = select(ApprovalRequest).where(
        ApprovalRequest.client_id == client_row_id, ApprovalRequest.kind == kind, ApprovalRequest.status == OPEN
    )
    return unit.session.exec(query).first()


def settle_open_requests(
    unit: Unit, client_row_id: UUID, *, status: str, decided_by: str, kind: str | None = None
) -> int:
    """Closes what is open of an app, of one kind or all; returns how many."""
    settled = (
        update(ApprovalRequest)
        .where(col(ApprovalRequest.client_id) == client_row_id, col(ApprovalRequest.status) == OPEN)
        .values(status=status, decided_by=decided_by, decided_at=unit.now())
        .execution_options(synchronize_session=False)
    )
    return unit.change(settled if kind is None else settled.where(col(ApprovalRequest.kind) == kind))


def close_approval_request(unit: Unit, request_id: UUID, *, status: str, decided_by: str, reason: str = "") -> bool:
    """Settles an open request; False where somebody did before."""
    settled = (
        update(ApprovalRequest)
        .where(col(ApprovalRequest.id) == request_id, col(ApprovalRequest.status) == OPEN)
        .values(status=status, decided_by=decided_by, reason=reason, decided_at=unit.now())
        .execution_options(synchronize_session=False)
    )
    return unit.change(settled) == 1


def list_approval_requests(
    unit: Unit, *, client_row_id: UUID | None = None, status: str | None = None, limit: int = 100
) -> list[tuple[ApprovalRequest, Client]]:
    """Requests with their apps, open ones oldest first, else newest first; those of deleted apps are left out."""
    query = (
        select(ApprovalRequest, Client)
        .join(Client, col(Client.id) == col(ApprovalRequest.client_id))
        .where(col(Client.deleted_at).is_(None))
        # Who has waited longest must not fall off the end of a long queue.
        .order_by(col(ApprovalRequest.id) if status == OPEN else col(ApprovalRequest.id).desc())
        .limit(limit)
    )
    if client_row_id is not None:
        query = query.where(ApprovalRequest.client_id == client_row_id)
    if status is not None:
        query = query.where(ApprovalRequest.status == status)
    return list(unit.session.exec(query))
