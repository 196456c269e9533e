"""Writes down when API keys were last used: beside the requests, and each key every few minutes at most."""

import asyncio

import structlog

from authsrv.identity.api_keys import ApiKeys, write_uses
from authsrv.kit.errors import Unavailable
from authsrv.storage.database import Database

log = structlog.get_logger(__name__)

_EVERY_SECONDS = 30.0
_BATCH = 200


class KeyUses:
    """Runs in every process: what each met, no other knows."""

    def __init__(self, database: Database, api_keys: ApiKeys) -> None:
        self._database = database
        self._api_keys = api_keys

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            await self.write()

    async def write(self) -> None:
        """All uses so far. Where the database is away they are lost: the next use is only minutes off."""
        uses = sorted(self._api_keys.take_uses().items())
        try:
            for start in range(0, len(uses), _BATCH):
                batch = uses[start : start + _BATCH]
                await self._database.transact(lambda unit, batch=batch: write_uses(unit, batch))  # type: ignore[misc]
        except Unavailable as away:
            log.warning("last uses of API keys were not written down", reason=away.reason)
