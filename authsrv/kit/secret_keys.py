"""The server's secrets and the keys derived from them, one a purpose (HKDF, RFC 5869)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MINIMUM_SECRET_BYTES = 32
KEY_ID_BYTES = 4


@dataclass(frozen=True, slots=True)
class DerivedKey:
    """`material` (32 bytes) for one purpose, and the short public name of the secret it came from."""

    key_id: bytes
    material: bytes


class SecretKeys:
    """The first secret seals, all of them open, so that secrets can be rotated without a flag day."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Raises ValueError for no secret, or one of under 32 bytes."""
        if not secrets:
            raise ValueError("at least one secret key is needed")
        if any(len(secret.encode()) < MINIMUM_SECRET_BYTES for secret in secrets):
            raise ValueError(f"a secret key needs at least {MINIMUM_SECRET_BYTES} bytes")
        self._secrets = tuple(secret.encode() for secret in secrets)
        self._keys = lru_cache(maxsize=64)(self._derive_all)

    def sealing(self, purpose: str) -> DerivedKey:
        """The key that makes new seals for this purpose."""
        return self._keys(purpose)[0]

    def opening(self, purpose: str, key_id: bytes) -> DerivedKey | None:
        """The key that a seal of this purpose names, or None when its secret is no longer held."""
        return next((key for key in self._keys(purpose) if key.key_id == key_id), None)

    def all(self, purpose: str) -> tuple[DerivedKey, ...]:
        """Every key that may have made something of this purpose, the sealing one first."""
        return self._keys(purpose)

    def _derive_all(self, purpose: str) -> tuple[DerivedKey, ...]:
        return tuple(
            DerivedKey(_expand(secret, "authsrv key id", KEY_ID_BYTES), _expand(secret, f"authsrv {purpose}", 32))
            for secret in self._secrets
        )


def _expand(secret: bytes, label: str, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=label.encode()).derive(secret)
