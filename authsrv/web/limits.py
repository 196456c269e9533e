"""Limits on how often: in memory, or shared through Redis; when Redis is away, in memory again (RFC 6585, 4)."""

from collections.abc import Callable, Mapping
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from typing import Any

import structlog
from limits import RateLimitItem
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.util import parse

from authsrv.kit.clock import Clock
from authsrv.kit.errors import DomainError

log = structlog.get_logger(__name__)

OFF = "off"
_REDIS_SECONDS = 0.5
_COMPLAIN_EVERY_SECONDS = 30


class RateLimited(DomainError):
    """Too often; `wait_seconds` from now it is allowed again."""

    def __init__(self, name: str, wait_seconds: int) -> None:
        self.wait_seconds = wait_seconds
        headers = {"Retry-After": str(wait_seconds)}
        super().__init__("rate_limited", 429, "Too many requests. Try again later.", headers=headers, reason=name)


def read_rate(text: str) -> RateLimitItem | None:
    """A rate in the notation of `limits`, as `30/10minutes`; None for `off`. Raises ValueError for what is neither."""
    return None if text.strip().lower() == OFF else parse(text)


class Limits:
    """Counts what happens under a name and a key, and says when it is too much."""

    def __init__(self, url: str, rates: Mapping[str, str], clock: Clock) -> None:
        """`url` is `memory://` or `redis://…`, `rates` the limits by name. Raises ValueError for what is neither."""
        self._rates = {name: read_rate(text) for name, text in rates.items()}
        self._clock = clock
        self._local = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared = _shared(url)
        self._complained_at = float("-inf")

    async def hit(self, name: str, key: str) -> None:
        """Counts one. Raises RateLimited past the limit."""
        rate = self._rates[name]
        if rate is None:
            return
        if self._shared is not None:
            try:
                await self._count(self._shared, rate, name, key)
            except StorageError as away:
                self._complain(away)
            else:
                return
        await self._count(self._local, rate, name, key)

    async def _count(self, limiter: SlidingWindowCounterRateLimiter, rate: RateLimitItem, name: str, key: str) -> None:
        if await limiter.hit(rate, name, key):
            return
        stats = await limiter.get_window_stats(rate, name, key)
        wait = ceil(stats.reset_time - self._clock.time_ns() / 1e9)
        raise RateLimited(name, min(max(wait, 1), rate.get_expiry()))

    def _complain(self, away: StorageError) -> None:
        now = self._clock.monotonic()
        if now - self._complained_at >= _COMPLAIN_EVERY_SECONDS:
            self._complained_at = now
            log.warning("Redis is away, each process counts for itself", reason=type(away.storage_error).__name__)


def address_key(address: str) -> str:
    """What counts as one caller: an IPv4 address, or the /64 that one IPv6 subscriber has."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else str(ip_network((parsed, 64), strict=False))
    return address


def _shared(url: str) -> SlidingWindowCounterRateLimiter | None:
    if url in {"", "memory://"}:
        return None
    if not url.startswith(("redis://", "rediss://")):
        raise ValueError("rate_limit_url must be memory:// or redis://host:port/0")
    make: Callable[..., Any] = storage_from_string
    storage: Storage = make(
        f"async+{url}",
        implementation="redispy",
        wrap_exceptions=True,
        key_prefix="authsrv",
        socket_timeout=_REDIS_SECONDS,
        socket_connect_timeout=_REDIS_SECONDS,
    )
    return SlidingWindowCounterRateLimiter(storage)
