"""Time-ordered identifiers: UUIDv7, finer than a millisecond, strictly increasing in a process (RFC 9562, 5.7, 6.2)."""

from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from authsrv.kit.clock import Clock
from authsrv.kit.entropy import Entropy

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62


class Identifiers:
    """Makes UUIDv7s; one maker a process, so that their order is the order of making."""

    def __init__(self, clock: Clock, entropy: Entropy) -> None:
        self._clock = clock
        self._entropy = entropy
        self._last = 0

    def next(self) -> UUID:
        """The next identifier: greater than every earlier one of this maker, even when the clock steps back."""
        milliseconds, rest = divmod(self._clock.time_ns(), 1_000_000)
        ticks = max(milliseconds << 12 | rest * 4096 // 1_000_000, self._last + 1)
        self._last = ticks
        chance = int.from_bytes(self._entropy.token_bytes(8), "big") >> 2
        return UUID(int=(ticks >> 12) << 80 | _VERSION | (ticks & 0xFFF) << 64 | _VARIANT | chance)


class RequestNames:
    """Names for requests, for people and logs alone: random for the process, then counted; cheap, and no secret."""

    def __init__(self, entropy: Entropy) -> None:
        self._prefix = entropy.token_bytes(8).hex()
        self._count = 0

    def next(self) -> str:
        """The next name: 32 hexadecimal digits."""
        self._count += 1
        return f"{self._prefix}{self._count:016x}"


def made_at(identifier: UUID) -> datetime:
    """When a UUIDv7 was made, to the microsecond."""
    milliseconds = identifier.int >> 80
    fraction = identifier.int >> 64 & 0xFFF
    return _EPOCH + timedelta(milliseconds=milliseconds, microseconds=fraction * 1000 // 4096)


def is_uuid7(identifier: UUID) -> bool:
    """Whether the identifier carries its time, as only version 7 does here."""
    return identifier.version == 7


def named_uuid(name: str) -> UUID:
    """The same identifier for the same URL, wherever it is made (RFC 9562, 5.5)."""
    return uuid5(NAMESPACE_URL, name)


def parse_uuid(text: str) -> UUID | None:
    """The UUID in its one canonical spelling, or None; other spellings would be other keys for the same row."""
    try:
        identifier = UUID(text)
    except ValueError:
        return None
    return identifier if str(identifier) == text else None
