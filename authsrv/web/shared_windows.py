"""Windows in Redis, for all processes together; apart, since its client is 5 MiB that most do without."""

from collections.abc import Callable
from math import ceil
from typing import Any

from limits.storage import storage_from_string
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from authsrv.kit.clock import Clock
from authsrv.kit.windows import Windows

_REDIS_SECONDS = 0.5


class SharedWindows:
    """Windows in Redis, through the `limits` library."""

    def __init__(self, url: str, clock: Clock) -> None:
        if not url.startswith(("redis://", "rediss://")):
            raise ValueError("rate_limit_url must be memory:// or redis://host:port/0")
        make: Callable[..., Any] = storage_from_string
        self._storage: Any = make(
            f"async+{url}",
            implementation="redispy",
            wrap_exceptions=True,
            key_prefix="authsrv",
            socket_timeout=_REDIS_SECONDS,
            socket_connect_timeout=_REDIS_SECONDS,
            # A request does not wait for a second try; it counts here instead.
            retry=Retry(NoBackoff(), 0),
        )
        self._known = Windows()
        self._clock = clock

    async def count(self, key: str, seconds: int, now: float) -> tuple[int, float]:
        """The count after this one, and the window's end. Raises StorageError."""
        count = await self._storage.incr(key, seconds)
        known = self._known.find(key, now)
        if known is None or count < known.count:
            # Only Redis knows when a window ends that another process opened.
            left = seconds if count == 1 else await self._storage.get_expiry(key) - self._clock.time_ns() / 1e9
            known = self._known.open(key, now + left)
        known.count = count
        return count, known.ends_at

    async def look(self, key: str) -> tuple[int, int]:
        """The count so far, and in how many seconds it begins anew. Raises StorageError."""
        count = await self._storage.get(key)
        if not count:
            return 0, 0
        return count, max(ceil(await self._storage.get_expiry(key) - self._clock.time_ns() / 1e9), 0)

    async def close(self) -> None:
        # The library has no way to end what it opened.
        await self._storage.bridge.storage.aclose()
