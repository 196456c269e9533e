"""Sign-in by a six-digit code from the mail: HOTP (RFC 4226) over a key and a row, so that no code is stored anywhere.

Nothing here knows of browsers or pages: whoever calls it mails what it hands out, after the commit.
"""

import hmac
from base64 import b32encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from pyotp import HOTP

from authsrv.identity.people import name_in_parts
from authsrv.identity.suspension import refuse_suspended
from authsrv.kit.errors import DomainError, TooOften
from authsrv.kit.secret_keys import SecretKeys
from authsrv.storage.email_codes import (
    EmailCode,
    add_email_code,
    count_mails_since,
    count_wrong_tries_since,
    drop_email_code,
    find_email_code,
    lock_email,
    step_email_code,
    take_try,
    use_email_code,
)
from authsrv.storage.unit import Unit
from authsrv.storage.users import User, find_or_add_user, join_store

SIGN_IN = "sign_in"
CODE_LASTS = timedelta(minutes=10)
RESEND_PAUSE = timedelta(seconds=30)
# For the whole sign-in: a resend gives no new ones.
MOST_TRIES = 5
_DIGITS = 6
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class CodeMail:
    """A code to mail, once its transaction is committed; `lasts` from now."""

    sign_in_id: UUID
    email: str
    code: str
    lasts: timedelta


@dataclass(frozen=True, slots=True)
class MailLimit:
    """At most `count` codes within `window` to one address."""

    count: int
    window: timedelta


_DAY = timedelta(days=1)
# NIST SP 800-63B, 5.2.2: no more than a hundred failed guesses in a row against one person.
_MOST_WRONG_A_DAY = 100


class TooManyMails(TooOften):
    """No code is mailed to this address before `wait_seconds` are over."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(wait, "Too many codes were sent to this address. Try again later.")


class ResendTooSoon(TooOften):
    """The last mail left less than the pause between two ago, of which `wait_seconds` are left."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(wait, "A code was sent just now.", code="resend_too_soon")


class SignInOver(DomainError):
    """There is no such sign-in, or its code has expired or was used: begin again."""

    def __init__(self, reason: str) -> None:
        super().__init__("code_expired", 400, "This code has expired. Ask for a new one.", reason=reason)


class NoTriesLeft(DomainError):
    """Too many wrong codes: begin again."""

    keeps_writes = True

    def __init__(self) -> None:
        super().__init__("code_spent", 400, "Too many wrong codes. Ask for a new one.")


class WrongCode(DomainError):
    """Not the code of the newest mail. The try is counted, so the transaction commits."""

    keeps_writes = True

    def __init__(self, tries_left: int) -> None:
        super().__init__("code_wrong", 400, "The code is not right.")
        self.tries_left = tries_left


class SignIns:
    """Begins, repeats and confirms sign-ins. Known or unknown, an address goes the same way until the code is right."""

    def __init__(self, keys: SecretKeys, mail_limit: MailLimit | None) -> None:
        self._keys = keys
        self._limit = mail_limit

    def begin(
        self,
        unit: Unit,
        email: str,
        *,
        purpose: str = SIGN_IN,
        store_id: UUID | None = None,
        first_name: str = "",
        last_name: str = "",
    ) -> CodeMail:
        """A new sign-in for a normal e-mail address; earlier ones of the same purpose and store are over.

        Raises TooManyMails.
        """
        self._refuse_flood(unit, email)
        now = unit.now()
        row = EmailCode(
            id=unit.new_id(),
            email=email,
            purpose=purpose,
            store_id=store_id,
            first_name=first_name[:_LONGEST_NAME],
            last_name=last_name[:_LONGEST_NAME],
            sent_at=now,
            created_at=now,
            expires_at=now + CODE_LASTS,
        )
        add_email_code(unit, row)
        return self._mail(row, 0)

    def resend(self, unit: Unit, sign_in_id: UUID, *, purpose: str = SIGN_IN, store_id: UUID | None = None) -> CodeMail:
        """The next code of the same sign-in. Raises SignInOver, NoTriesLeft, ResendTooSoon, TooManyMails."""
        row = self.get(unit, sign_in_id, purpose=purpose, store_id=store_id)
        if row.attempts >= MOST_TRIES:
            raise NoTriesLeft
        self._refuse_flood(unit, row.email)
        counter = step_email_code(unit, sign_in_id, RESEND_PAUSE, CODE_LASTS)
        if counter is None:
            raise ResendTooSoon(row.sent_at + RESEND_PAUSE - unit.now())
        return self._mail(row, counter)

    def get(self, unit: Unit, sign_in_id: UUID, *, purpose: str = SIGN_IN, store_id: UUID | None = None) -> EmailCode:
        """The living sign-in. Raises SignInOver, also for one of another purpose or store."""
        row = find_email_code(unit, sign_in_id)
        if row is None or (row.purpose, row.store_id) != (purpose, store_id):
            raise SignInOver("no such sign-in for this purpose and store")
        if row.used_at is not None or row.expires_at <= unit.now():
            raise SignInOver("used" if row.used_at else "expired")
        return row

    def confirm(
        self,
        unit: Unit,
        sign_in_id: UUID,
        code: str,
        *,
        purpose: str = SIGN_IN,
        store_id: UUID | None = None,
        joins_known: bool = True,
    ) -> User:
        """The person whose code this is, made now if unknown; the code is used up.

        A new person becomes a customer of the store; one who was known before only when `joins_known`.
        Raises SignInOver, NoTriesLeft, WrongCode.
        """
        row = self.get(unit, sign_in_id, purpose=purpose, store_id=store_id)
        taken = take_try(unit, sign_in_id, MOST_TRIES)
        if taken is None:
            # Why, another look tells: what was read before may be what another request has changed.
            self.get(unit, sign_in_id, purpose=purpose, store_id=store_id)
            raise NoTriesLeft
        counter, tries_left = taken
        if not self._is_right(row, counter, code):
            raise WrongCode(tries_left) if tries_left else NoTriesLeft
        if not use_email_code(unit, sign_in_id, counter):
            raise SignInOver("used a moment ago, or a newer code was sent")
        return _welcome(unit, row, joins_known=joins_known)

    def drop(self, unit: Unit, sign_in_id: UUID) -> None:
        """Forgets a sign-in whose mail could not be sent, so that it counts against no limit."""
        drop_email_code(unit, sign_in_id)

    def _refuse_flood(self, unit: Unit, email: str) -> None:
        lock_email(unit, email)
        now = unit.now()
        wrong, first_at = count_wrong_tries_since(unit, email, now - _DAY)
        if wrong >= _MOST_WRONG_A_DAY:
            raise TooManyMails(first_at + _DAY - now)
        if self._limit is None:
            return
        count, sent_at = count_mails_since(unit, email, now - self._limit.window)
        if sent_at is not None and count >= self._limit.count:
            raise TooManyMails(sent_at + self._limit.window - now)

    def _mail(self, row: EmailCode, counter: int) -> CodeMail:
        return CodeMail(row.id, row.email, next(self._codes(row, counter)), CODE_LASTS)

    def _is_right(self, row: EmailCode, counter: int, code: str) -> bool:
        given = code.encode()
        # Any of the secrets may have made it: they are rotated while codes are under way.
        return any(hmac.compare_digest(right.encode(), given) for right in self._codes(row, counter))

    def _codes(self, row: EmailCode, counter: int) -> Iterator[str]:
        """The code under each of the server's secrets, the sealing one first."""
        for key in self._keys.all("e-mail code"):
            of_row = hmac.digest(key.material, row.id.bytes, sha256)
            yield HOTP(b32encode(of_row).decode(), digits=_DIGITS, digest=sha256).at(counter)


def _welcome(unit: Unit, row: EmailCode, *, joins_known: bool) -> User:
    user, is_new = find_or_add_user(unit, email=row.email)
    if user.email_verified_at is None:
        user.email_verified_at = unit.now()
        unit.session.add(user)
    refuse_suspended(user)
    if is_new:
        name_in_parts(user, row.first_name, row.last_name)
    if row.store_id is not None and (is_new or joins_known):
        join_store(unit, store_id=row.store_id, user_id=user.id)
    unit.session.flush()
    return user
