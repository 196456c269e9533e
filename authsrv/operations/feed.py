"""Keeps this process's knowledge of the feed fresh: polls, and on PostgreSQL listens and hears within milliseconds."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from uuid import UUID

import asyncpg
import structlog

from authsrv.identity.revocations import RevocationList
from authsrv.kit.clock import Clock
from authsrv.kit.errors import Unavailable
from authsrv.storage.database import Database
from authsrv.storage.revocations import CHANNEL, read_feed
from authsrv.storage.unit import Notice, NoticeKind

log = structlog.get_logger(__name__)

# News of changes is kept for ten minutes; who missed more than half of that starts over.
_TOO_LONG_AWAY_SECONDS = 300.0
_LISTEN_AGAIN_SECONDS = 5.0


class FeedReader:
    """Reads the feed in the background and, when an answer depends on it and it has grown too old, at once."""

    def __init__(
        self,
        database: Database,
        revocations: RevocationList,
        clock: Clock,
        *,
        hear: Callable[[Sequence[Notice]], None],
        start_over: Callable[[], None],
        after_reading: Callable[[], Awaitable[None]],
        poll_seconds: float,
        max_age_seconds: float,
    ) -> None:
        """`hear` takes a reading's notices, `start_over` empties what hangs on them, `after_reading` may await."""
        self._database = database
        self._revocations = revocations
        self._clock = clock
        self._hear = hear
        self._start_over = start_over
        self._after_reading = after_reading
        self._poll_seconds = poll_seconds
        self._max_age_seconds = max_age_seconds
        self._horizon = 0
        self._heard: set[UUID] = set()
        self._own: set[UUID] = set()
        self._under_way: asyncio.Task[None] | None = None
        self._nudged = asyncio.Event()
        self._is_failing = False

    def note_own(self, notices: Sequence[Notice]) -> None:
        """This process wrote them and has heard them right after its commit: no news when they are read."""
        self._own.update(notice.id for notice in notices if notice.kind is not NoticeKind.DELIVERY_ADDED)

    async def ensure_fresh(self) -> None:
        """Returns when what is known was read less than `max_age_seconds` ago; raises Unavailable when it cannot be."""
        # Twice: a reading that others began may have been on its way for too long when it comes in.
        for _ in range(2):
            if self._revocations.age_seconds() < self._max_age_seconds:
                return
            await self.read()
        if self._revocations.age_seconds() >= self._max_age_seconds:
            raise Unavailable("the feed cannot be read fast enough")

    async def read(self) -> None:
        """One reading, shared by all who ask for it while it is under way. Raises Unavailable."""
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(self._read())
        # Shielded: one caller that gives up must not take the reading from the others.
        await asyncio.shield(self._under_way)

    async def settle(self) -> None:
        """Returns when no reading is under way any more, whatever came of it."""
        if self._under_way is not None:
            await asyncio.wait([self._under_way])

    async def run(self) -> None:
        """Reads for ever, every `poll_seconds` and whenever nudged."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds):
                    await self._nudged.wait()
            self._nudged.clear()
            try:
                await self.read()
            except Unavailable as away:
                if not self._is_failing:
                    log.warning("feed cannot be read", reason=away.reason)
                self._is_failing = True
            else:
                if self._is_failing:
                    log.info("feed is read again")
                self._is_failing = False

    async def listen(self) -> None:
        """PostgreSQL only: is told of new lines. Behind a pooler nobody can be told, so polling has to do."""
        if self._database.is_sqlite or self._database.has_pooler:
            return
        while True:
            with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await self._listen_until_it_breaks()
            await asyncio.sleep(_LISTEN_AGAIN_SECONDS)

    async def _listen_until_it_breaks(self) -> None:
        connection = await self._database.connect_driver()
        broken = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: broken.set())
            await connection.add_listener(CHANNEL, lambda *_: self._nudged.set())
            # What was written before we listened was not told to us.
            self._nudged.set()
            await broken.wait()
        finally:
            with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=1)

    async def _read(self) -> None:
        began_at = self._clock.monotonic()
        if self._revocations.age_seconds() > _TOO_LONG_AWAY_SECONDS:
            self._horizon = 0
            self._heard.clear()
            self._start_over()
        horizon = self._horizon
        reading = await self._database.transact(lambda unit: read_feed(unit, horizon), read_only=True)
        if reading.horizon < horizon:
            # The numbers went backwards: another database stands behind the URL (a restored one, say).
            self._heard.clear()
            self._start_over()
            reading = await self._database.transact(lambda unit: read_feed(unit, 0), read_only=True)
        self._horizon = reading.horizon
        # While any transaction stays open, the same lines are read again and again; they are news only once.
        known = self._heard | self._own
        self._hear([notice for notice in reading.notices if notice.id not in known])
        self._heard = {notice.id for notice in reading.notices}
        self._own -= self._heard
        self._revocations.forget_expired(self._clock.now())
        await self._after_reading()
        self._revocations.mark_read(began_at)
