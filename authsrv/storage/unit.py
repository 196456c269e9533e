"""One transaction as code below the seam sees it: a plain session, the time, identifiers, and what others must hear."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, Executable
from sqlmodel import Session

from authsrv.kit.clock import Clock
from authsrv.kit.identifiers import Identifiers

# A process that has not read the feed for this long reads it from the start, so older news can be forgotten.
NEWS_LIVES = timedelta(minutes=10)


class NoticeKind(StrEnum):
    """What a line of the feed speaks of.

    The first four void tokens issued before it, the next two switch all tokens of a client off and on, whenever they
    were issued, and the others say that a cached thing changed.
    """

    TOKEN = "token"
    GRANT = "grant"
    CLIENT = "client"
    USER = "user"
    CLIENT_SUSPENDED = "client_suspended"
    CLIENT_RESUMED = "client_resumed"
    CLIENT_CHANGED = "client_changed"
    KEYS_CHANGED = "keys_changed"
    STORE_CHANGED = "store_changed"
    API_KEY_CHANGED = "api_key_changed"
    DELIVERY_ADDED = "delivery_added"


@dataclass(frozen=True, slots=True)
class Notice:
    """One line of the feed: tokens of the subject whose `jti` is below `id` are void, until `expires_at`."""

    id: UUID
    kind: NoticeKind
    subject: str
    expires_at: datetime


# A Core statement and its values → the row it returns, or None.
FetchDirect = Callable[[Executable, Mapping[str, Any]], Any]


class Unit:
    """Lives for one `transact`; the session and its connection come into being at the first use of `session`."""

    def __init__(
        self,
        open_session: Callable[[], Session],
        clock: Clock,
        identifiers: Identifiers,
        fetch_direct: FetchDirect | None = None,
    ) -> None:
        """`fetch_direct` runs a statement on the driver itself, where there is such a way."""
        self._open_session = open_session
        self._fetch_direct = fetch_direct
        self._session: Session | None = None
        self._identifiers = identifiers
        self.clock = clock
        self.notices: list[Notice] = []

    @property
    def session(self) -> Session:
        if self._session is None:
            self._session = self._open_session()
        return self._session

    @property
    def is_postgresql(self) -> bool:
        """Which of the two engines this is."""
        return self._fetch_direct is not None or self.session.get_bind().dialect.name == "postgresql"

    def now(self) -> datetime:
        """The current time, aware, in UTC."""
        return self.clock.now()

    def new_id(self) -> UUID:
        """A fresh UUIDv7."""
        return self._identifiers.next()

    def fetch_one(self, statement: Executable, **values: Any) -> Any:
        """Runs one Core statement with these values; the row it returns, or None."""
        return self.session.connection().execute(statement, values).first()

    def fetch_alone(self, statement: Executable, **values: Any) -> Any:
        """The same for a statement that nothing will undo: it may commit by itself, at a third of the cost."""
        if self._fetch_direct is None or self._session is not None:
            return self.fetch_one(statement, **values)
        return self._fetch_direct(statement, values)

    def undo(self) -> None:
        """Forgets what this transaction wrote; a refusal that must leave no trace calls it."""
        if self._session is not None:
            self._session.rollback()
        self.notices.clear()

    def change(self, statement: Executable, values: Mapping[str, Any] | None = None) -> int:
        """Runs an INSERT, UPDATE or DELETE with these values; returns how many rows it met."""
        return cast("CursorResult[Any]", self.session.execute(statement, values)).rowcount

    def commit(self) -> None:
        if self._session is not None:
            self._session.commit()

    def close(self) -> None:
        """Gives the connection back; whatever was not committed is undone."""
        if self._session is not None:
            self._session.close()
