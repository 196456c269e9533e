"""Who belongs to an app: admins, who run it, and viewers, who look."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased
from sqlmodel import Field, SQLModel, col, delete, select, update

from authsrv.storage.clients import Client
from authsrv.storage.columns import UTC_TIME
from authsrv.storage.unit import Unit
from authsrv.storage.users import User

ADMIN = "admin"
VIEWER = "viewer"
ROLES = (ADMIN, VIEWER)


class ClientMember(SQLModel, table=True):
    """A person in the team of an app."""

    __tablename__ = "client_member"

    client_id: UUID = Field(primary_key=True, foreign_key="client.id")
    user_id: UUID = Field(primary_key=True, foreign_key="user.id", index=True)
    role: str = Field(max_length=10)
    created_at: datetime = Field(sa_type=UTC_TIME)


@dataclass(frozen=True, slots=True)
class TeamMember:
    """A member as the team sees them."""

    user_id: UUID
    email: str
    name: str
    role: str
    since: datetime


def add_member(unit: Unit, *, client_row_id: UUID, user_id: UUID, role: str) -> bool:
    """False for who belongs to the app already; their role stays what it is."""
    if find_role(unit, client_row_id, user_id) is not None:
        return False
    member = ClientMember(client_id=client_row_id, user_id=user_id, role=role, created_at=unit.now())
    try:
        with unit.session.begin_nested():
            unit.session.add(member)
    except IntegrityError:
        return False  # another request came first
    return True


def find_role(unit: Unit, client_row_id: UUID, user_id: UUID) -> str | None:
    of_both = col(ClientMember.client_id) == client_row_id, col(ClientMember.user_id) == user_id
    return unit.session.exec(select(ClientMember.role).where(*of_both)).first()


def find_app_of(unit: Unit, client_id: str, user_id: UUID) -> tuple[Client, str] | None:
    """The app and the person's role in it, in one statement; None for an app that is not theirs to see."""
    query = (
        select(Client, ClientMember.role)
        .join(ClientMember, col(ClientMember.client_id) == col(Client.id))
        .where(Client.client_id == client_id, ClientMember.user_id == user_id, col(Client.deleted_at).is_(None))
    )
    return unit.session.exec(query).first()


def find_app_by_row(unit: Unit, client_row_id: UUID, user_id: UUID) -> tuple[Client, str] | None:
    """The same by its row."""
    query = (
        select(Client, ClientMember.role)
        .join(ClientMember, col(ClientMember.client_id) == col(Client.id))
        .where(Client.id == client_row_id, ClientMember.user_id == user_id, col(Client.deleted_at).is_(None))
    )
    return unit.session.exec(query).first()


def list_apps_of(unit: Unit, user_id: UUID) -> list[tuple[Client, str]]:
    """The person's apps, newest first, with their role in each."""
    query = (
        select(Client, ClientMember.role)
        .join(ClientMember, col(ClientMember.client_id) == col(Client.id))
        .where(ClientMember.user_id == user_id, col(Client.deleted_at).is_(None))
        .order_by(col(Client.id).desc())
    )
    return list(unit.session.exec(query))


def list_members(unit: Unit, client_row_id: UUID) -> list[TeamMember]:
    """The team, in the order in which they joined."""
    query = (
        select(User, ClientMember)
        .join(ClientMember, col(ClientMember.user_id) == col(User.id))
        .where(ClientMember.client_id == client_row_id)
        .order_by(col(ClientMember.created_at), col(User.id))
    )
    return [
        TeamMember(user.id, user.email, user.name, member.role, member.created_at)
        for user, member in unit.session.exec(query)
    ]


def change_role(unit: Unit, client_row_id: UUID, user_id: UUID, role: str) -> bool:
    """False where that would leave the app without an admin, or there is no such member.

    Under the client's lock (`lock_client`): two admins who demote each other at once must see each other.
    """
    changed = update(ClientMember).where(*_member(client_row_id, user_id)).values(role=role)
    if role != ADMIN:
        changed = changed.where(_another_admin(client_row_id, user_id))
    return unit.change(changed.execution_options(synchronize_session=False)) == 1


def remove_member(unit: Unit, client_row_id: UUID, user_id: UUID) -> bool:
    """The same for leaving, under the same lock."""
    gone = delete(ClientMember).where(*_member(client_row_id, user_id), _another_admin(client_row_id, user_id))
    return unit.change(gone.execution_options(synchronize_session=False)) == 1


def _member(client_row_id: UUID, user_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return col(ClientMember.client_id) == client_row_id, col(ClientMember.user_id) == user_id


def _another_admin(client_row_id: UUID, user_id: UUID) -> ColumnElement[bool]:
    other = aliased(ClientMember)
    query = select(other.user_id).where(other.client_id == client_row_id, other.user_id != user_id, other.role == ADMIN)
    return query.exists()
