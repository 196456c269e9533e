"""Sign-in by password, the quiet second way: tries are counted in the database, hashes checked between transactions."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from authsrv.identity.suspension import refuse_suspended
from authsrv.kit.errors import DomainError, TooOften
from authsrv.storage.email_codes import (
    PASSWORD,
    EmailCode,
    add_email_code,
    count_wrong_tries_since,
    end_email_code,
    find_newest_email_code,
    lock_email,
    take_try,
    use_email_code,
)
from authsrv.storage.unit import Unit
from authsrv.storage.users import User, find_user, find_user_by_id, join_store, replace_password_hash

MOST_TRIES = 5
TRIES_WINDOW = timedelta(minutes=10)
# Five every ten minutes would be 720 a day, and a guesser has many days.
MOST_WRONG_A_DAY = 100
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PasswordTry:
    """One counted try. `stored` is the hash to check the password against, None where there is none to match."""

    tries_id: UUID
    user_id: UUID | None
    stored: str | None


class TooManyTries(TooOften):
    """No password is tried for this address before `wait_seconds` are over, whether it has one or not."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(wait, "Too many tries with a password. Wait a little, or sign in with a code.")


class WrongPassword(DomainError):
    """No such address, no password there, or not this one: which, nobody learns."""

    def __init__(self) -> None:
        super().__init__("password_wrong", 400, "The e-mail address or the password is not right.")


def take_password_try(unit: Unit, email: str) -> PasswordTry:
    """Counts a try before anything is compared, the same for any address. Raises TooManyTries."""
    lock_email(unit, email)
    now = unit.now()
    wrong, first_at = count_wrong_tries_since(unit, email, now - _DAY, of_passwords=True)
    if wrong >= MOST_WRONG_A_DAY:
        raise TooManyTries(first_at + _DAY - now)
    row = find_newest_email_code(unit, email, PASSWORD, None)
    if row is None:
        row = EmailCode(
            id=unit.new_id(),
            email=email,
            purpose=PASSWORD,
            sent_at=now,
            created_at=now,
            expires_at=now + TRIES_WINDOW,
        )
        add_email_code(unit, row)
    if take_try(unit, row.id, MOST_TRIES) is None:
        raise TooManyTries(row.expires_at - now)
    user = find_user(unit, email)
    return PasswordTry(row.id, user.id if user else None, user.password_hash if user else None)


def accept_password(unit: Unit, tried: PasswordTry, *, rehashed: str | None, store_id: UUID | None) -> User:
    """The person whose password was right; the tries begin anew, and the hash is replaced by `rehashed`, if given.

    Joins them to the store, if one is given. Raises WrongPassword when the password was changed in the meantime.
    """
    user = find_user_by_id(unit, tried.user_id) if tried.user_id else None
    if user is None or user.password_hash is None or user.password_hash != tried.stored:
        raise WrongPassword
    refuse_suspended(user)
    if rehashed is not None and not replace_password_hash(unit, user.id, user.password_hash, rehashed):
        raise WrongPassword
    # The tries begin anew, and this one was not wrong.
    use_email_code(unit, tried.tries_id, 0)
    end_email_code(unit, tried.tries_id)
    if store_id is not None:
        join_store(unit, store_id=store_id, user_id=user.id)
    unit.session.flush()
    return user
