"""Sign-ins under way: whom a code was mailed to, how often it was tried. The code itself is derived, never stored."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import case
from sqlmodel import Field, SQLModel, col, delete, func, select, update

from authsrv.storage.columns import UTC_TIME
from authsrv.storage.unit import Unit

# Tries of a password are counted in a row of their own, which no mail belongs to.
PASSWORD = "password"
# Any fixed number does, as long as nothing else locks by it.
_LOCK = 0x636F6465


class EmailCode(SQLModel, table=True):
    """One sign-in: `counter` steps on with each mail, so only the newest code is right; `attempts` never goes back."""

    __tablename__ = "email_code"

    id: UUID = Field(primary_key=True)
    email: str = Field(max_length=254, index=True)
    purpose: str = Field(max_length=20)
    store_id: UUID | None = Field(default=None, foreign_key="store.id")
    first_name: str = Field(default="", max_length=100)
    last_name: str = Field(default="", max_length=100)
    counter: int = 0
    attempts: int = 0
    sent_at: datetime = Field(sa_type=UTC_TIME)
    used_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    created_at: datetime = Field(sa_type=UTC_TIME)
    expires_at: datetime = Field(sa_type=UTC_TIME, index=True)


def add_email_code(unit: Unit, code: EmailCode) -> None:
    """Begins a sign-in; whatever this person began before for the same purpose and store is over (one live code)."""
    unit.change(
        update(EmailCode)
        .where(
            col(EmailCode.email) == code.email,
            col(EmailCode.purpose) == code.purpose,
            col(EmailCode.store_id).is_not_distinct_from(code.store_id),
            col(EmailCode.expires_at) > code.created_at,
        )
        .values(expires_at=code.created_at)
    )
    unit.session.add(code)
    unit.session.flush()


def find_email_code(unit: Unit, code_id: UUID) -> EmailCode | None:
    return unit.session.get(EmailCode, code_id, populate_existing=True)


def find_newest_email_code(unit: Unit, email: str, purpose: str, store_id: UUID | None) -> EmailCode | None:
    """The person's live sign-in of this purpose and store, where no browser remembers which one it was."""
    query = (
        select(EmailCode)
        .where(
            EmailCode.email == email,
            EmailCode.purpose == purpose,
            col(EmailCode.store_id).is_not_distinct_from(store_id),
            col(EmailCode.expires_at) > unit.now(),
        )
        .order_by(col(EmailCode.id).desc())
        .limit(1)
    )
    return unit.session.exec(query).first()


def lock_email(unit: Unit, email: str) -> None:
    """Until this transaction ends, no other counts for this address; a SQLite writer is alone anyway."""
    if unit.is_postgresql:
        unit.session.execute(select(func.pg_advisory_xact_lock(_LOCK, func.hashtext(email))))


def count_mails_since(unit: Unit, email: str, since: datetime) -> tuple[int, datetime | None]:
    """How many codes the sign-ins of this address that mailed one after `since` have mailed in all, and when first."""
    query = select(func.sum(EmailCode.counter + 1), func.min(EmailCode.sent_at)).where(
        EmailCode.email == email, col(EmailCode.sent_at) > since, EmailCode.purpose != PASSWORD
    )
    count, first_at = unit.session.exec(query).one()
    return int(count or 0), first_at


def count_wrong_tries_since(
    unit: Unit, email: str, since: datetime, *, of_passwords: bool = False
) -> tuple[int, datetime]:
    """How many codes, or passwords, that were not right were tried for this address in what was begun after `since`.

    And when the first of them was begun, which is the first to count no more. Each for itself: tries of a password tell
    nothing of a code, and anybody can make them without a mail.
    """
    wrong = func.sum(EmailCode.attempts - case((col(EmailCode.used_at).is_(None), 0), else_=1))
    kind = EmailCode.purpose == PASSWORD if of_passwords else EmailCode.purpose != PASSWORD
    first_at = func.min(case((col(EmailCode.attempts) > 0, col(EmailCode.created_at)), else_=None))
    query = select(wrong, first_at).where(EmailCode.email == email, col(EmailCode.created_at) > since, kind)
    count, begun_at = unit.session.exec(query).one()
    return int(count or 0), begun_at or unit.now()


def take_try(unit: Unit, code_id: UUID, most: int) -> tuple[int, int] | None:
    """Uses up one try, in one statement, before anything is compared.

    Returns the counter of the live code and the tries now left; None when there is no live code, or no try left.
    """
    tried = unit.session.execute(
        update(EmailCode)
        .where(
            col(EmailCode.id) == code_id,
            col(EmailCode.attempts) < most,
            col(EmailCode.used_at).is_(None),
            col(EmailCode.expires_at) > unit.now(),
        )
        .values(attempts=col(EmailCode.attempts) + 1)
        .returning(col(EmailCode.counter), col(EmailCode.attempts))
        .execution_options(synchronize_session=False)
    ).first()
    return (tried[0], most - tried[1]) if tried else None


def use_email_code(unit: Unit, code_id: UUID, counter: int) -> bool:
    """Uses the code up, once: of two that come with the right code at the same time, one wins."""
    used = unit.change(
        update(EmailCode)
        .where(col(EmailCode.id) == code_id, col(EmailCode.counter) == counter, col(EmailCode.used_at).is_(None))
        .values(used_at=unit.now())
        .execution_options(synchronize_session=False)
    )
    return used == 1


def step_email_code(unit: Unit, code_id: UUID, pause: timedelta, lasts: timedelta) -> int | None:
    """The next code of the same sign-in, living for `lasts`, at most one in `pause`; the tries are not refilled.

    None when it cannot be.
    """
    now = unit.now()
    stepped = unit.session.execute(
        update(EmailCode)
        .where(
            col(EmailCode.id) == code_id,
            col(EmailCode.used_at).is_(None),
            col(EmailCode.expires_at) > now,
            col(EmailCode.sent_at) <= now - pause,
        )
        .values(counter=col(EmailCode.counter) + 1, sent_at=now, expires_at=now + lasts)
        .returning(col(EmailCode.counter))
        .execution_options(synchronize_session=False)
    ).first()
    return stepped[0] if stepped else None


def end_email_code(unit: Unit, code_id: UUID) -> None:
    """The sign-in is over."""
    ended = update(EmailCode).where(col(EmailCode.id) == code_id).values(expires_at=unit.now())
    unit.change(ended.execution_options(synchronize_session=False))


def drop_email_code(unit: Unit, code_id: UUID) -> None:
    """The sign-in never was: its mail could not be sent, and counts for nothing."""
    unit.change(delete(EmailCode).where(col(EmailCode.id) == code_id).execution_options(synchronize_session=False))


def prune_email_codes(unit: Unit, batch: int) -> int:
    """Deletes up to `batch` sign-ins that ended a day ago or more (the limit on mails counts them until then)."""
    old = select(EmailCode.id).where(col(EmailCode.expires_at) < unit.now() - timedelta(days=1)).limit(batch)
    return unit.change(delete(EmailCode).where(col(EmailCode.id).in_(old)))
