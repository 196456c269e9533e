"""The seam between async and plain: `transact` runs plain work in a greenlet, commits, and only then returns."""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import asyncpg
from sqlalchemy import Connection, Engine, Executable, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import await_only, greenlet_spawn
from sqlmodel import Session

from authsrv.kit.clock import Clock
from authsrv.kit.errors import DomainError, Unavailable
from authsrv.kit.identifiers import Identifiers
from authsrv.storage.direct import DirectStatement
from authsrv.storage.unit import FetchDirect, Notice, Unit

T = TypeVar("T")

log = logging.getLogger(__name__)

_CONNECT_SECONDS = 3
_READ_ONLY = "authsrv_read_only"


class Database:
    """One engine and one way in. Usable after `start`."""

    def __init__(
        self, url: str, *, clock: Clock, identifiers: Identifiers, pool_size: int = 10, timeout_seconds: float = 5.0
    ) -> None:
        """`url` as in the settings: `sqlite:///…` or `postgresql://…`. Raises ValueError for any other."""
        self._url = _driver_url(url)
        self._clock = clock
        self._identifiers = identifiers
        self._pool_size = pool_size
        self._timeout_seconds = timeout_seconds
        self._watchers: list[Callable[[str], None]] = []
        self._compiled: dict[Executable, DirectStatement] = {}
        self._direct: FetchDirect | None = None
        self._listeners: list[Callable[[Sequence[Notice]], None]] = []
        # SQLite has one writer: waiting here is fair and cheap, waiting in its busy handler is neither.
        self._writer = asyncio.Lock()
        self._engine: AsyncEngine | None = None
        self._reading: Engine | None = None
        self.is_sqlite = self._url.get_backend_name() == "sqlite"
        self.has_pooler = False
        self.statements = 0

    async def start(self) -> None:
        """Makes the engine; on PostgreSQL first finds out whether a pooler stands between.

        Raises Unavailable when the database is away.
        """
        if self.is_sqlite:
            self._engine = self._sqlite_engine()
        else:
            try:
                self.has_pooler = await _meets_a_pooler(self._url)
            except (OSError, TimeoutError, asyncpg.PostgresError) as error:
                if isinstance(error, asyncpg.PostgresError) and not _is_away_state(error.sqlstate):
                    raise
                raise Unavailable(f"the database cannot be reached: {str(error) or type(error).__name__}") from error
            self._engine = self._postgresql_engine()
        sync_engine = self._engine.sync_engine
        event.listen(sync_engine, "before_cursor_execute", self._count)
        # One statement of its own needs no BEGIN and COMMIT around it, unless a pooler could part its two halves.
        alone: dict[str, Any] = {} if self.is_sqlite or self.has_pooler else {"isolation_level": "AUTOCOMMIT"}
        # A pooler could part preparing from running; SQLite has no driver that would be worth the way around.
        self._direct = None if self.is_sqlite or self.has_pooler else self._fetch_direct
        self._reading = sync_engine.execution_options(**{_READ_ONLY: True}, **alone)

    async def close(self) -> None:
        if self._engine is not None:
            await self._engine.dispose()

    @property
    def engine(self) -> AsyncEngine:
        """The engine itself, for migrations."""
        if self._engine is None:
            raise RuntimeError("the database was not started; mount the app with its lifespan")
        return self._engine

    @property
    def url(self) -> URL:
        """The URL with its driver; its text form masks the password."""
        return self._url

    def listen(self, listener: Callable[[Sequence[Notice]], None]) -> None:
        """Calls `listener` with the notices of each transaction of this process right after its commit."""
        self._listeners.append(listener)

    def watch(self, watcher: Callable[[str], None]) -> Callable[[], None]:
        """Shows `watcher` each statement as it is sent; returns what ends that."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    async def transact(self, work: Callable[[Unit], T], *, read_only: bool = False, tries_without: bool = False) -> T:
        """Runs `work(unit)` below the seam and commits. No mail, no HTTP and no sleep belong inside.

        `tries_without`: it mostly needs no statement. So it begins in place, which saves the way down, and begins anew
        below when it comes to its first one; until there it must have no effect that counts twice.
        Raises what `work` raises, after undoing it (or committing it, where a DomainError says so), and Unavailable
        when the database is away, hangs, or has no free connection in time.
        """
        if tries_without:
            try:
                return work(Unit(_open_nothing, self._clock, self._identifiers))
            except _NeedsDatabase:  # a context manager would cost more than the rest of this way
                pass
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await greenlet_spawn(self._run, work, read_only=read_only)
        except (TimeoutError, PoolTimeout) as slow:
            raise Unavailable("the database did not answer in time") from slow
        except asyncpg.PostgresError as error:
            if not _is_away_state(error.sqlstate):
                raise
            raise Unavailable(f"the database is away: {type(error).__name__}") from error
        except (OSError, asyncpg.InterfaceError) as away:
            raise Unavailable(f"the database is away: {type(away).__name__}") from away
        except DBAPIError as error:
            if _is_away(error):
                raise Unavailable(f"the database is away: {type(error.orig).__name__}") from error
            raise

    async def connect_driver(self) -> "asyncpg.Connection[asyncpg.Record]":
        """A PostgreSQL connection of its own, outside the pool; the caller closes it."""
        return await _connect(self._url)

    def _run(self, work: Callable[[Unit], T], *, read_only: bool) -> T:
        holds_writer = False

        def open_session() -> Session:
            nonlocal holds_writer
            if read_only:
                return Session(self._reading, expire_on_commit=False)
            if self.is_sqlite:
                await_only(self._writer.acquire())
                holds_writer = True
            return Session(self.engine.sync_engine, expire_on_commit=False)

        unit = Unit(open_session, self._clock, self._identifiers, self._direct)
        try:
            try:
                result = work(unit)
            except DomainError as refusal:
                if refusal.keeps_writes:
                    unit.commit()
                    self._tell(unit.notices)
                raise
            unit.commit()
        finally:
            try:
                unit.close()
            finally:
                if holds_writer:
                    self._writer.release()
        self._tell(unit.notices)
        return result

    def _fetch_direct(self, statement: Executable, values: Mapping[str, Any]) -> Any:
        """One statement on a pooled connection's own driver, committed by the server itself: one round trip."""
        direct = self._compiled.get(statement)
        if direct is None:
            direct = self._compiled[statement] = DirectStatement(statement)
        for watch in self._watchers:
            watch(direct.sql)
        self.statements += 1
        connection = self.engine.sync_engine.raw_connection()
        try:
            driver: Any = connection.driver_connection
            record = await_only(driver.fetchrow(direct.sql, *direct.arguments(values)))
        except asyncpg.PostgresError:
            raise
        except BaseException as broken:
            # Cut off in the middle of an exchange: nobody may use it again.
            connection.invalidate(broken if isinstance(broken, Exception) else None)
            raise
        finally:
            connection.close()
        return direct.row(record)

    def _tell(self, notices: Sequence[Notice]) -> None:
        if notices:
            for listener in self._listeners:
                listener(notices)

    def _count(self, _: object, __: object, statement: str, *___: object) -> None:
        self.statements += 1
        for watch in self._watchers:
            watch(statement)

    def _sqlite_engine(self) -> AsyncEngine:
        if (path := self._url.database) and path != ":memory:":
            _make_private(Path(path))
        engine = create_async_engine(
            self._url,
            pool_size=self._pool_size,
            max_overflow=0,
            pool_timeout=self._timeout_seconds,
            # An error is logged with its statement; the values in it are people's.
            hide_parameters=True,
        )
        # Its own waiting must not outlast the transaction's.
        busy_milliseconds = int(self._timeout_seconds * 1000)
        event.listen(engine.sync_engine, "connect", partial(_prepare_sqlite, busy_milliseconds))
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine

    def _postgresql_engine(self) -> AsyncEngine:
        arguments: dict[str, Any] = {"timeout": _CONNECT_SECONDS, "command_timeout": self._timeout_seconds}
        if self.has_pooler:
            # A pooler in transaction mode hands each transaction another server: nothing prepared may outlive one.
            arguments |= {
                "statement_cache_size": 0,
                "prepared_statement_cache_size": 0,
                "prepared_statement_name_func": str,
            }
        else:
            # No disk has a head to move any more, and an index that holds all a listing needs is the shorter way.
            arguments["server_settings"] = {"random_page_cost": "1.1"}
        return create_async_engine(
            self._url,
            pool_size=self._pool_size,
            max_overflow=0,
            pool_timeout=self._timeout_seconds,
            hide_parameters=True,
            connect_args=arguments,
        )


class _NeedsDatabase(BaseException):
    """Work that was tried without the database came to its first statement; nobody but the seam may catch this."""


def _open_nothing() -> Session:
    raise _NeedsDatabase


def _make_private(path: Path) -> None:
    """Makes a SQLite file for its owner alone, unless it is there; what SQLite keeps beside it follows.

    One that is there is not even opened: closing it would drop all locks that this process holds on it (POSIX), and
    another process, finding none, would take the log away from under us.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _driver_url(text: str) -> URL:
    try:
        url = make_url(text)
        _ = urlsplit(url.render_as_string()).port
    except (ArgumentError, ValueError):
        # What these say quotes what they stumbled over, which may be half a password.
        raise ValueError("database_url: must be sqlite:///path or postgresql://user@host:port/db") from None
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
    driver = drivers.get(url.drivername.split("+")[0])
    if driver is None:
        raise ValueError("database_url: must start with sqlite:/// or postgresql://")
    url = url.set(drivername=driver)
    if mode := url.query.get("sslmode"):
        # libpq's word for it; asyncpg calls it ssl.
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
    return url


async def _meets_a_pooler(url: URL) -> bool:
    """Whether the process that greets us is not the one that works for us: a pooler greets with a made-up number."""
    connection = await _connect(url)
    try:
        async with connection.transaction():
            return bool(await connection.fetchval("SELECT pg_backend_pid()") != connection.get_server_pid())
    finally:
        await connection.close(timeout=_CONNECT_SECONDS)


async def _connect(url: URL) -> "asyncpg.Connection[asyncpg.Record]":
    plain = url.set(drivername="postgresql").difference_update_query(["ssl"])
    return await asyncpg.connect(
        plain.render_as_string(hide_password=False),
        ssl=cast("Any", url.query.get("ssl")),
        timeout=_CONNECT_SECONDS,
        statement_cache_size=0,
    )


def _prepare_sqlite(busy_milliseconds: int, connection: Any, _: object) -> None:
    # The driver must not begin transactions by itself: `_begin_sqlite` chooses how.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {busy_milliseconds}",
        "journal_mode = WAL",
        # An accepted order survives a power cut too.
        "synchronous = FULL",
        "foreign_keys = ON",
        # Kibibytes for each connection; the system keeps the file in its own memory, once for all of them.
        "cache_size = -512",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock at once: one that upgrades later is refused whenever another wrote in between.
    read_only = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


# SQLSTATE classes in which the server, not the statement, is at fault: connection, lost races, resources, locks that
# cannot be had, operator, system. Trying again may help.
_AWAY_STATES = ("08", "40", "53", "55P03", "57", "58")


def _is_away(error: DBAPIError) -> bool:
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return _is_away_state(state)
    return isinstance(error, InterfaceError) or (isinstance(error, OperationalError) and _is_locked(error))


def _is_away_state(state: object) -> bool:
    return str(state).startswith(_AWAY_STATES)


def _is_locked(error: OperationalError) -> bool:
    return any(word in str(error.orig) for word in ("locked", "busy", "unable to open", "disk I/O"))
