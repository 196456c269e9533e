"""Invitations by mail: into an app's team, or to work in a store; bound to one address, and taken once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Index
from sqlmodel import Field, SQLModel, col, delete, select, update

from authsrv.storage.columns import UTC_TIME
from authsrv.storage.unit import Unit

# What one can be invited to; `target_id` is the row of that.
INTO_APP = "app"
INTO_STORE = "store"


class Invitation(SQLModel, table=True):
    """`role` is what the person of this address will be there; `invited_by` is a person."""

    __tablename__ = "invitation"
    __table_args__ = (Index("ix_invitation_target_id_kind", "target_id", "kind"),)

    id: UUID = Field(primary_key=True)
    kind: str = Field(max_length=10)
    target_id: UUID
    email: str = Field(max_length=254, index=True)
    role: str = Field(max_length=10)
    invited_by: UUID = Field(foreign_key="user.id")
    accepted_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    revoked_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    created_at: datetime = Field(sa_type=UTC_TIME)
    expires_at: datetime = Field(sa_type=UTC_TIME, index=True)


def add_invitation(unit: Unit, invitation: Invitation) -> None:
    unit.session.add(invitation)
    unit.session.flush()


def find_open_invitation(unit: Unit, invitation_id: UUID) -> Invitation | None:
    """The invitation, if it can still be taken."""
    return unit.session.exec(select(Invitation).where(col(Invitation.id) == invitation_id, *_is_open(unit))).first()


def list_open_invitations(unit: Unit, kind: str, target_id: UUID) -> list[Invitation]:
    """Those to this app or store that nobody has taken yet, oldest first."""
    query = select(Invitation).where(*_leads_to(kind, target_id), *_is_open(unit)).order_by(col(Invitation.id))
    return list(unit.session.exec(query))


def accept_invitation(unit: Unit, invitation_id: UUID, email: str) -> bool:
    """Uses it up; False for another address, and for one that was taken, revoked or has expired."""
    mine = col(Invitation.id) == invitation_id, col(Invitation.email) == email
    taken = update(Invitation).where(*mine, *_is_open(unit)).values(accepted_at=unit.now())
    return unit.change(taken.execution_options(synchronize_session=False)) == 1


def revoke_invitation(unit: Unit, kind: str, target_id: UUID, invitation_id: UUID) -> bool:
    """Takes back an open invitation to this app or store; False when there is none."""
    ended = update(Invitation).where(col(Invitation.id) == invitation_id, *_leads_to(kind, target_id), *_is_open(unit))
    return unit.change(ended.values(revoked_at=unit.now()).execution_options(synchronize_session=False)) == 1


def revoke_invitations_to(unit: Unit, kind: str, target_id: UUID, email: str) -> int:
    """Takes back those to one address; returns how many."""
    ended = update(Invitation).where(*_leads_to(kind, target_id), col(Invitation.email) == email, *_is_open(unit))
    return unit.change(ended.values(revoked_at=unit.now()).execution_options(synchronize_session=False))


def revoke_invitations_by(unit: Unit, kind: str, target_id: UUID, user_id: UUID) -> int:
    """Takes back those that one person sent; returns how many."""
    ended = update(Invitation).where(*_leads_to(kind, target_id), col(Invitation.invited_by) == user_id)
    ended = ended.where(*_is_open(unit)).values(revoked_at=unit.now())
    return unit.change(ended.execution_options(synchronize_session=False))


def find_invited_at(
    unit: Unit,
    since: datetime,
    most: int,
    *,
    target_id: UUID | None = None,
    invited_by: UUID | None = None,
    email: str | None = None,
) -> datetime | None:
    """When the first of the last `most` was sent of this place, by this person or to this address, however they ended.

    None where there were fewer after `since`.
    """
    query = select(Invitation.created_at).where(col(Invitation.created_at) > since)
    if target_id is not None:
        query = query.where(Invitation.target_id == target_id)
    if invited_by is not None:
        query = query.where(Invitation.invited_by == invited_by)
    if email is not None:
        query = query.where(Invitation.email == email)
    return unit.session.exec(query.order_by(col(Invitation.created_at).desc()).offset(most - 1).limit(1)).first()


def prune_invitations(unit: Unit, batch: int) -> int:
    """Deletes up to `batch` invitations whose time is over; returns how many."""
    old = select(Invitation.id).where(col(Invitation.expires_at) < unit.now()).limit(batch)
    return unit.change(delete(Invitation).where(col(Invitation.id).in_(old)))


def _leads_to(kind: str, target_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return col(Invitation.kind) == kind, col(Invitation.target_id) == target_id


def _is_open(unit: Unit) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Invitation.accepted_at).is_(None),
        col(Invitation.revoked_at).is_(None),
        col(Invitation.expires_at) > unit.now(),
    )
