"""Deletes what has expired, in small batches, and rotates due signing keys; one process at a time, by a lease."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog

from authsrv.kit.clock import Clock
from authsrv.kit.errors import Unavailable
from authsrv.kit.vault import Vault
from authsrv.oauth.keyring import rotate_keys
from authsrv.settings import Settings
from authsrv.storage.assertions import prune_assertions
from authsrv.storage.audit import prune_audit_events
from authsrv.storage.carts import prune_carts
from authsrv.storage.clients import prune_client_secrets
from authsrv.storage.database import Database
from authsrv.storage.deliveries import prune_deliveries
from authsrv.storage.email_codes import prune_email_codes
from authsrv.storage.grants import BEFORE_ALL, prune_grants, prune_superseded_grants
from authsrv.storage.idempotency import prune_idempotency_keys
from authsrv.storage.invitations import prune_invitations
from authsrv.storage.leases import take_lease
from authsrv.storage.mails import prune_mails
from authsrv.storage.registrations import prune_registrations
from authsrv.storage.revocations import prune_revocations
from authsrv.storage.sessions import prune_sessions
from authsrv.storage.signing_keys import prune_signing_keys
from authsrv.storage.unit import Unit
from authsrv.storage.usage import prune_usage

log = structlog.get_logger(__name__)

LEASE = "housekeeping"


class Housekeeping:
    """Runs beside the requests of every process; does something in the one that holds the lease."""

    def __init__(self, database: Database, vault: Vault, settings: Settings, clock: Clock, holder: str) -> None:
        self._database = database
        self._vault = vault
        self._settings = settings
        self._clock = clock
        self._holder = holder
        # How far the grants were looked at for superseded ones.
        self._grants_looked_at = BEFORE_ALL

    async def run(self) -> None:
        """For ever: waits, and tidies."""
        while True:
            await asyncio.sleep(self._settings.pruning.every_seconds)
            try:
                await self.tidy()
            except Unavailable as away:
                log.warning("housekeeping put off", reason=away.reason)

    async def tidy(self) -> dict[str, int]:
        """One round, if the lease can be had; says how many rows of what went."""
        # Three rounds long: a holder that dies is replaced soon, one that works keeps it.
        lasts = timedelta(seconds=self._settings.pruning.every_seconds * 3)
        if not await self._database.transact(lambda unit: take_lease(unit, LEASE, self._holder, lasts)):
            return {}
        await self._rotate_due_keys()
        gone: dict[str, int] = {}
        for name, prune in self._prunings().items():
            # One that takes too long must not keep the others from their work.
            try:
                gone[name] = await self._prune(prune)
            except Unavailable as late:
                log.warning("pruning put off", what=name, reason=late.reason)
        if any(gone.values()):
            log.info("pruned", **gone)
        return gone

    def _prunings(self) -> dict[str, Callable[[Unit, int], int]]:
        kept = timedelta(seconds=self._settings.pruning.audit_seconds)
        usage_kept = timedelta(seconds=self._settings.pruning.usage_seconds)
        return {
            "revocations": prune_revocations,
            "grants": prune_grants,
            "superseded_grants": self._prune_superseded_grants,
            "signing_keys": prune_signing_keys,
            "sessions": prune_sessions,
            "email_codes": prune_email_codes,
            "mails": prune_mails,
            "deliveries": prune_deliveries,
            "assertions": prune_assertions,
            "client_secrets": prune_client_secrets,
            "idempotency_keys": prune_idempotency_keys,
            "carts": prune_carts,
            "registrations": prune_registrations,
            "invitations": prune_invitations,
            "usage": lambda unit, batch: prune_usage(unit, (unit.now() - usage_kept).date(), batch),
            "audit_events": lambda unit, batch: prune_audit_events(unit, unit.now() - kept, batch),
        }

    def _prune_superseded_grants(self, unit: Unit, batch: int) -> int:
        gone, self._grants_looked_at = prune_superseded_grants(unit, batch, self._grants_looked_at)
        return gone

    async def _prune(self, prune: Callable[[Unit, int], int]) -> int:
        batch, total = self._settings.pruning.batch, 0
        while True:
            gone = await self._database.transact(lambda unit: prune(unit, batch))
            total += gone
            if gone < batch:
                return total

    async def _rotate_due_keys(self) -> None:
        keys = self._settings.keys

        def work(unit: Unit) -> int:
            announce, due = timedelta(seconds=keys.announce_seconds), timedelta(seconds=keys.rotate_after_seconds)
            return len(rotate_keys(unit, self._vault, announce=announce, actor="authsrv", older_than=due))

        if announced := await self._database.transact(work):
            log.info("signing keys announced", count=announced)
