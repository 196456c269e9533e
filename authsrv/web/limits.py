"""Limits on how often: in memory, or shared through Redis; when Redis is away, in memory again (RFC 6585, 4).

A window opens with the first request and ends as a whole. The counters in memory are our own: those of the `limits`
library take 4 to 9 µs of CPU for each hit and 5 to 7 more to say what is left; these take 2 for both.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from typing import TYPE_CHECKING

import structlog
from limits.errors import StorageError
from starlette.requests import HTTPConnection
from starlette.types import Scope

from authsrv.kit.clock import Clock
from authsrv.kit.errors import TooOften
from authsrv.kit.rates import Rate, read_rate
from authsrv.kit.windows import Windows

if TYPE_CHECKING:
    from authsrv.web.shared_windows import SharedWindows

log = structlog.get_logger(__name__)

# While Redis is away, one request in this time tries it; the others must not wait for what does not answer.
_TRY_AGAIN_SECONDS = 2.0
_SCOPE_KEY = "authsrv.allowance"


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a limit, and in how many seconds it is whole again."""

    rate: Rate
    remaining: int
    reset_seconds: int

    def headers(self) -> tuple[tuple[bytes, bytes], tuple[bytes, bytes]]:
        """`RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11, 3 and 4)."""
        policy = b'"default";q=%d;w=%d' % (self.rate.amount, self.rate.seconds)
        left = b'"default";r=%d;t=%d' % (self.remaining, self.reset_seconds)
        return (b"ratelimit-policy", policy), (b"ratelimit", left)


@dataclass(frozen=True, slots=True)
class LimitUse:
    """How often within the window that is open, when that ends, and how often it may be in so many seconds."""

    used: int
    reset_seconds: int
    most: int
    window_seconds: int


class RateLimited(TooOften):
    """Past the limit of this name; the answer tells of it as every other does."""

    def __init__(self, name: str, allowance: Allowance) -> None:
        super().__init__(timedelta(seconds=allowance.reset_seconds), "Too many requests. Try again later.")
        self.headers |= {header.decode(): value.decode() for header, value in allowance.headers()}
        self.reason = name


class Limits:
    """Counts what happens under a name and a key, and says when it is too much."""

    def __init__(self, url: str, rates: Mapping[str, str], clock: Clock, *, workers: int = 1) -> None:
        """`url` is `memory://` or `redis://…`, `rates` the limits by name; each of `workers` counts its part in memory.

        Raises ValueError for what is neither URL nor rate.
        """
        self._rates = {name: read_rate(text) for name, text in rates.items()}
        self._read_own = lru_cache(maxsize=1024)(read_rate)
        self._clock = clock
        self._workers = workers
        self._local = Windows()
        self._shared = _share(url, clock) if url not in {"", "memory://"} else None
        self._try_at = float("-inf")
        self.is_redis_away = False

    async def hit(self, name: str, key: str, own: str | None = None) -> Allowance | None:
        """Counts one, against the caller's `own` rate where it has one; None where there is no limit.

        Raises RateLimited past the limit.
        """
        rate = self._rates[name] if own is None else self._read_own(own)
        if rate is None:
            return None
        now = self._clock.monotonic()
        key = f"{name}/{key}"
        counted = await self._count_together(key, rate, now) if self._shared is not None else None
        most = rate.amount
        if counted is None:
            window = self._local.find(key, now) or self._local.open(key, now + rate.seconds)
            window.count += 1
            counted, most = (window.count, window.ends_at), rate.part(self._workers)
        count, ends_at = counted
        # As long as `Retry-After` says, so never 0.
        allowance = Allowance(rate, max(most - count, 0), max(ceil(ends_at - now), 1))
        if count > most:
            raise RateLimited(name, allowance)
        return allowance

    async def look(self, name: str, key: str, own: str | None = None) -> LimitUse | None:
        """How it stands with a limit, without counting; None where there is no limit."""
        rate = self._rates[name] if own is None else self._read_own(own)
        if rate is None:
            return None
        now, key = self._clock.monotonic(), f"{name}/{key}"
        if self._shared is not None and not self.is_redis_away:
            with suppress(StorageError):
                return LimitUse(*await self._shared.look(_shared_key(key, rate)), rate.amount, rate.seconds)
        window = self._local.find(key, now)
        most = rate.part(self._workers)
        if window is None:
            return LimitUse(0, 0, most, rate.seconds)
        return LimitUse(window.count, max(ceil(window.ends_at - now), 0), most, rate.seconds)

    @property
    def is_counted_apart(self) -> bool:
        """Whether each of several processes counts its part for itself."""
        return self._workers > 1 and (self._shared is None or self.is_redis_away)

    async def close(self) -> None:
        """Gives Redis its connections back."""
        if self._shared is not None:
            await self._shared.close()

    async def _count_together(self, key: str, rate: Rate, now: float) -> tuple[int, float] | None:
        """The count of all processes and its end; None while Redis is away."""
        if self._shared is None or (self.is_redis_away and now < self._try_at):
            return None
        self._try_at = now + _TRY_AGAIN_SECONDS
        try:
            counted = await self._shared.count(_shared_key(key, rate), rate.seconds, now)
        except StorageError as away:
            if not self.is_redis_away:
                self.is_redis_away = True
                log.warning("Redis is away, each process counts for itself", reason=type(away.storage_error).__name__)
            return None
        if self.is_redis_away:
            self.is_redis_away = False
            log.info("Redis is back, all processes count together")
        return counted


def _shared_key(key: str, rate: Rate) -> str:
    return f"{key}/{rate.amount}/{rate.seconds}"


def _share(url: str, clock: Clock) -> "SharedWindows":
    from authsrv.web.shared_windows import SharedWindows  # noqa: PLC0415  # Redis' client, where there is a Redis

    return SharedWindows(url, clock)


def note_allowance(connection: HTTPConnection, allowance: Allowance | None) -> None:
    """Lets the gate say on the answer what is left."""
    connection.scope[_SCOPE_KEY] = allowance


def allowance_of(scope: Scope) -> Allowance | None:
    """What was noted, if anything."""
    return scope.get(_SCOPE_KEY)


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
