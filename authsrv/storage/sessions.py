"""Sessions: a person at a browser, from sign-in to sign-out. The cookie is a sealed handle, so none is stored."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel, col, delete, select, update

from authsrv.storage.columns import UTC_TIME
from authsrv.storage.unit import Unit
from authsrv.storage.users import User


class Session(SQLModel, table=True):
    """`amr` is how the person signed in (RFC 8176), `expires_at` the absolute end; `seen_at` tells idleness."""

    __tablename__ = "session"

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="user.id", index=True)
    amr: str = Field(max_length=40)
    auth_time: datetime = Field(sa_type=UTC_TIME)
    seen_at: datetime = Field(sa_type=UTC_TIME)
    user_agent: str = Field(default="", max_length=300)
    address: str = Field(default="", max_length=64)
    ended_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    created_at: datetime = Field(sa_type=UTC_TIME)
    expires_at: datetime = Field(sa_type=UTC_TIME, index=True)


def add_session(unit: Unit, session: Session) -> None:
    unit.session.add(session)
    unit.session.flush()


def find_live_session(unit: Unit, session_id: UUID, seen_after: datetime) -> tuple[Session, User] | None:
    """The session with its person, unless it was ended, has expired, or was not seen since `seen_after`."""
    live = (
        col(Session.id) == session_id,
        col(Session.ended_at).is_(None),
        col(Session.expires_at) > unit.now(),
        col(Session.seen_at) > seen_after,
    )
    query = select(Session, User).join(User, col(User.id) == col(Session.user_id)).where(*live)
    return unit.session.exec(query).first()


def touch_session(unit: Unit, session_id: UUID) -> None:
    """The person was here."""
    unit.change(update(Session).where(col(Session.id) == session_id).values(seen_at=unit.now()))


def list_live_sessions(unit: Unit, user_id: UUID, seen_after: datetime) -> list[Session]:
    """The person's sessions, the latest first."""
    live = (
        col(Session.user_id) == user_id,
        col(Session.ended_at).is_(None),
        col(Session.expires_at) > unit.now(),
        col(Session.seen_at) > seen_after,
    )
    return list(unit.session.exec(select(Session).where(*live).order_by(col(Session.seen_at).desc())))


def end_session(unit: Unit, session_id: UUID, user_id: UUID) -> bool:
    """Ends the person's session; False when it is not theirs or had ended."""
    ended = unit.change(
        update(Session)
        .where(col(Session.id) == session_id, col(Session.user_id) == user_id, col(Session.ended_at).is_(None))
        .values(ended_at=unit.now())
    )
    return ended == 1


def prune_sessions(unit: Unit, batch: int) -> int:
    """Deletes up to `batch` sessions whose absolute end has passed; returns how many."""
    expired = select(Session.id).where(col(Session.expires_at) < unit.now()).limit(batch)
    return unit.change(delete(Session).where(col(Session.id).in_(expired)))
