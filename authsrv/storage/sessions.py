"""Sessions: a person at a browser, from sign-in to sign-out. The cookie is a sealed handle, so none is stored."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam
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
    # How often the person signed in anew in it: the cookie of an earlier time is worth nothing.
    renewals: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    ended_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    created_at: datetime = Field(sa_type=UTC_TIME)
    expires_at: datetime = Field(sa_type=UTC_TIME, index=True)


# Asked with every page: building it anew would cost half of the asking.
_LIVE = (
    select(Session, User)
    .join(User, col(User.id) == col(Session.user_id))
    .where(
        col(Session.id) == bindparam("session_id"),
        col(Session.renewals) == bindparam("renewals"),
        col(Session.ended_at).is_(None),
        col(Session.expires_at) > bindparam("now"),
        col(Session.seen_at) > bindparam("seen_after"),
        col(User.suspended_at).is_(None),
    )
)


def add_session(unit: Unit, session: Session) -> None:
    unit.session.add(session)
    unit.session.flush()


def find_live_session(unit: Unit, session_id: UUID, renewals: int, seen_after: datetime) -> tuple[Session, User] | None:
    """The session with its person, unless it ended, was renewed since, expired, or was not seen since `seen_after`."""
    asked = {"session_id": session_id, "renewals": renewals, "now": unit.now(), "seen_after": seen_after}
    return unit.session.exec(_LIVE, params=asked).first()


def touch_session(unit: Unit, session_id: UUID) -> None:
    """The person was here."""
    unit.change(update(Session).where(col(Session.id) == session_id).values(seen_at=unit.now()))


def renew_session(
    unit: Unit, session_id: UUID, renewals: int, *, amr: str, user_agent: str, address: str, expires_at: datetime
) -> bool:
    """The person signed in anew; of two that come at once, one does it. False when it was done, or has ended."""
    now = unit.now()
    renewed = unit.change(
        update(Session)
        .where(col(Session.id) == session_id, col(Session.renewals) == renewals, col(Session.ended_at).is_(None))
        .values(
            renewals=renewals + 1,
            amr=amr,
            auth_time=now,
            seen_at=now,
            user_agent=user_agent,
            address=address,
            expires_at=expires_at,
        )
        .execution_options(synchronize_session=False)
    )
    return renewed == 1


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
