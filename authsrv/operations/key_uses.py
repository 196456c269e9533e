"""Writes down when API keys and client secrets were last used: beside the requests, each every few minutes at most."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from authsrv.identity.api_keys import ApiKeys
from authsrv.kit.errors import Unavailable
from authsrv.oauth.client_secrets import SecretUses
from authsrv.storage.api_keys import note_key_uses
from authsrv.storage.clients import note_secret_uses
from authsrv.storage.database import Database
from authsrv.storage.unit import Unit

log = structlog.get_logger(__name__)

_EVERY_SECONDS = 30.0
_BATCH = 200


class KeyUses:
    """Runs in every process: what each met, no other knows."""

    def __init__(self, database: Database, api_keys: ApiKeys, secrets: SecretUses) -> None:
        self._database = database
        self._api_keys = api_keys
        self._secrets = secrets

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            await self.write()

    async def write(self) -> None:
        """All uses so far. Where the database is away they are lost: the next use is only minutes off."""
        try:
            await self._write(sorted(self._api_keys.take_uses().items()), note_key_uses)
            await self._write(self._secrets.take(), note_secret_uses)
        except Unavailable as away:
            log.warning("last uses of keys were not written down", reason=away.reason)

    async def _write(self, uses: Sequence[Any], write: Callable[[Unit, Sequence[Any]], None]) -> None:
        for start in range(0, len(uses), _BATCH):
            batch = uses[start : start + _BATCH]
            await self._database.transact(lambda unit, batch=batch: write(unit, batch))  # type: ignore[misc]
