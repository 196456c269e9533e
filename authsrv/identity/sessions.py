"""Who is signed in at a browser: sessions, from sign-in to sign-out (OWASP ASVS, V3)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from authsrv.kit.handles import Handle, HandleSealer, Purpose
from authsrv.storage.sessions import (
    Session,
    add_session,
    end_session,
    find_live_session,
    list_live_sessions,
    renew_session,
    touch_session,
)
from authsrv.storage.unit import Unit
from authsrv.storage.users import User

SESSION_COOKIE = Purpose(5, "ss_")
# Idle time is counted in hours: a write for every click would buy nothing.
_TOUCH_AFTER = timedelta(minutes=5)
_LONGEST_USER_AGENT = 300
_LONGEST_ADDRESS = 64


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person with a living session; `amr` is how they signed in (RFC 8176)."""

    session_id: UUID
    user_id: UUID
    email: str
    name: str
    auth_time: datetime
    amr: tuple[str, ...]


# Called in the transaction that ends a session, with its id and its person's.
EndListener = Callable[[Unit, UUID, UUID], None]


class Sessions:
    """Begins, finds and ends sessions. The cookie is a sealed handle, so a stolen database holds none."""

    def __init__(self, sealer: HandleSealer, *, idle_seconds: int, absolute_seconds: int) -> None:
        self._sealer = sealer
        self._idle = timedelta(seconds=idle_seconds)
        self._absolute = timedelta(seconds=absolute_seconds)
        self._listeners: list[EndListener] = []

    def on_end(self, listener: EndListener) -> None:
        """Calls `listener` for each session that a person ends, before the commit."""
        self._listeners.append(listener)

    def session_id(self, cookie: str | None) -> UUID | None:
        """Which session a cookie speaks of, by arithmetic alone: whether it still lives, only `find` knows."""
        handle = self._open(cookie)
        return handle.row_id if handle else None

    def find(self, unit: Unit, cookie: str | None) -> SignedIn | None:
        """Whose living session this is: one statement, none for a forged cookie; now and then one more to note the use.

        The transaction must be one that may write.
        """
        handle = self._open(cookie)
        if handle is None:
            return None
        found = find_live_session(unit, handle.row_id, handle.counter, unit.now() - self._idle)
        if found is None:
            return None
        session, user = found
        if session.seen_at < unit.now() - _TOUCH_AFTER:
            touch_session(unit, session.id)
        return _signed_in(session, user)

    def begin(self, unit: Unit, user: User, amr: Sequence[str], user_agent: str, address: str) -> tuple[str, SignedIn]:
        """A new session, and the text of its cookie. The id is always a fresh one (OWASP ASVS, 3.2.1)."""
        now = unit.now()
        session = Session(
            id=unit.new_id(),
            user_id=user.id,
            amr=" ".join(amr),
            auth_time=now,
            seen_at=now,
            user_agent=user_agent[:_LONGEST_USER_AGENT],
            address=address[:_LONGEST_ADDRESS],
            created_at=now,
            expires_at=now + self._absolute,
        )
        add_session(unit, session)
        return self._sealer.seal(SESSION_COOKIE, Handle(session.id, 0)), _signed_in(session, user)

    def renew(self, unit: Unit, cookie: str | None, amr: Sequence[str], user_agent: str, address: str) -> str | None:
        """The same session after its person signed in anew, as the text of a new cookie: the old one is void.

        None where another sign-in came first, or the session has ended.
        """
        handle = self._open(cookie)
        if handle is None or not renew_session(
            unit,
            handle.row_id,
            handle.counter,
            amr=" ".join(amr),
            user_agent=user_agent[:_LONGEST_USER_AGENT],
            address=address[:_LONGEST_ADDRESS],
            expires_at=unit.now() + self._absolute,
        ):
            return None
        return self._sealer.seal(SESSION_COOKIE, Handle(handle.row_id, handle.counter + 1))

    def list_living(self, unit: Unit, user_id: UUID) -> list[Session]:
        """The person's living sessions, the latest first."""
        return list_live_sessions(unit, user_id, unit.now() - self._idle)

    def end(self, unit: Unit, session_id: UUID, user_id: UUID) -> bool:
        """Ends the person's session; False when it is not theirs or had ended."""
        ended = end_session(unit, session_id, user_id)
        if ended:
            for listener in self._listeners:
                listener(unit, session_id, user_id)
        return ended

    def end_all(self, unit: Unit, user_id: UUID) -> int:
        """Ends all of the person's sessions; returns how many."""
        living = [session.id for session in self.list_living(unit, user_id)]
        return sum(self.end(unit, session_id, user_id) for session_id in living)

    def end_others(self, unit: Unit, kept: UUID, user_id: UUID) -> int:
        """Ends all of the person's sessions but one; returns how many."""
        others = [session.id for session in self.list_living(unit, user_id) if session.id != kept]
        return sum(self.end(unit, session_id, user_id) for session_id in others)

    def _open(self, cookie: str | None) -> Handle | None:
        return self._sealer.open(SESSION_COOKIE, cookie) if cookie else None


def _signed_in(session: Session, user: User) -> SignedIn:
    return SignedIn(
        session_id=session.id,
        user_id=user.id,
        email=user.email,
        name=user.name,
        auth_time=session.auth_time,
        amr=tuple(session.amr.split()),
    )
