"""The public keys clients sign with: registered as `jwks`, or published by them at `jwks_uri` (RFC 7591, 2).

A published set is fetched above the seam, before the engine runs, and kept: below the seam nothing waits.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import structlog

from authsrv.kit.clock import Clock
from authsrv.kit.outbound import OutboundError
from authsrv.kit.public_keys import PublicKey, read_public_keys
from authsrv.oauth.clients import RegisteredClient

log = structlog.get_logger(__name__)

# A URL to the JSON document there. Raises OutboundError.
FetchJson: TypeAlias = Callable[[str], Awaitable[Any]]

_SETS_KEPT = 1000
_FRESH_SECONDS = 600.0
_AGAIN_SECONDS = 60.0
_AFTER_FAILURE_SECONDS = 10.0
# While a client's server is away its keys still count, but one taken out of the set must not live on for long.
_USABLE_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class _Published:
    """A set as it was at `fetched_at`, not to be asked for again before `again_at`. Monotonic seconds."""

    keys: tuple[PublicKey, ...]
    fetched_at: float
    again_at: float


class ClientKeys:
    """Which keys a client may have signed with; `prepare` is called first, where waiting is allowed."""

    def __init__(self, fetch: FetchJson, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._published: OrderedDict[str, _Published] = OrderedDict()
        self._under_way: dict[str, asyncio.Task[None]] = {}

    def find(self, client: RegisteredClient) -> tuple[PublicKey, ...]:
        """The client's keys as far as they are known now."""
        if client.jwks_uri is None:
            return tuple(client.keys)
        published = self._published.get(client.jwks_uri)
        if published is None or self._clock.monotonic() - published.fetched_at > _USABLE_SECONDS:
            return ()
        return published.keys

    async def prepare(self, client: RegisteredClient, kid: str | None) -> None:
        """Fetches what the client publishes where it is unknown, old, or lacks this key; not again within a minute."""
        url = client.jwks_uri
        if url is None or not self._is_due(url, kid):
            return
        fetch = self._under_way.get(url)
        if fetch is None:
            fetch = self._under_way[url] = asyncio.create_task(self._refresh(client.client_id, url))
        # Shielded: who hangs up must not take it from the others.
        await asyncio.shield(fetch)

    def _is_due(self, url: str, kid: str | None) -> bool:
        published = self._published.get(url)
        if published is None:
            return True
        now = self._clock.monotonic()
        if now < published.again_at:
            return False
        is_known = any(kid in {None, key.kid} for key in published.keys)
        return not is_known or now - published.fetched_at > _FRESH_SECONDS

    async def _refresh(self, client_id: str, url: str) -> None:
        now = self._clock.monotonic()
        try:
            self._keep(url, _Published(read_public_keys(await self._fetch(url)), now, now + _AGAIN_SECONDS))
        except OutboundError as fault:
            log.warning("jwks_uri cannot be used", client_id=client_id, reason=str(fault))
            before = self._published.get(url, _Published((), now, now))
            self._keep(url, replace(before, again_at=now + _AFTER_FAILURE_SECONDS))
        finally:
            del self._under_way[url]

    def _keep(self, url: str, published: _Published) -> None:
        self._published[url] = published
        self._published.move_to_end(url)
        if len(self._published) > _SETS_KEPT:
            self._published.popitem(last=False)
