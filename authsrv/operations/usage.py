"""Writes down how often each client did what: every few seconds, beside the requests, in one statement for many."""

import asyncio

import structlog

from authsrv.kit.clock import Clock
from authsrv.kit.errors import Unavailable
from authsrv.storage.database import Database
from authsrv.storage.usage import UsageKey, add_usage
from authsrv.web.usage import UsageCounter

log = structlog.get_logger(__name__)

_EVERY_SECONDS = 5.0


class UsageWriter:
    """Runs in every process: what each counted, no other knows. What a process counted before it was killed is lost."""

    def __init__(self, database: Database, counter: UsageCounter, clock: Clock) -> None:
        self._database = database
        self._counter = counter
        self._clock = clock

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            await self.write()

    async def write(self) -> None:
        """All sums so far; where the database is away they wait in memory."""
        taken = self._counter.take()
        if not taken:
            return
        day = self._clock.now().date()
        counts = {UsageKey(client_id, day, kind, reason): count for (client_id, kind, reason), count in taken.items()}
        try:
            await self._database.transact(lambda unit: add_usage(unit, counts))
        except Unavailable as away:
            self._counter.put_back(taken)
            log.warning("usage was not written down yet", reason=away.reason)
