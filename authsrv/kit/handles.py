"""Sealed handles: credentials that are not stored anywhere, and that a forger cannot make.

`prefix` + base64url(key id, purpose, row id, counter, attachment, seal). The seal is an HMAC-SHA256 (RFC 2104), cut to
128 bits, by a key derived for the purpose alone, so that a handle of one purpose never opens as another.
"""

import hmac
from base64 import urlsafe_b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from authsrv.kit.secret_keys import KEY_ID_BYTES, SecretKeys

_SEAL_BYTES = 16
_ROW_AT = KEY_ID_BYTES + 1
_COUNTER_AT = _ROW_AT + 16
_ATTACHMENT_AT = _COUNTER_AT + 8
_LONGEST = 16_384
_TO_STANDARD = str.maketrans("-_", "+/")


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a handle is for: its number stands inside the seal, its prefix in front for people and leak scanners."""

    number: int
    prefix: str


@dataclass(frozen=True, slots=True)
class Handle:
    """What a handle says: a row, a counter (0 to 2**64 - 1), and what else its maker attached."""

    row_id: UUID
    counter: int
    attachment: bytes = b""


class HandleSealer:
    """Makes and opens handles with the server's secrets; needs no database."""

    def __init__(self, keys: SecretKeys) -> None:
        self._keys = keys

    def seal(self, purpose: Purpose, handle: Handle) -> str:
        """The handle as text: letters, digits, `-` and `_` only."""
        key = self._keys.sealing(_label(purpose))
        body = b"".join(
            (
                key.key_id,
                purpose.number.to_bytes(1, "big"),
                handle.row_id.bytes,
                handle.counter.to_bytes(8, "big"),
                handle.attachment,
            )
        )
        return purpose.prefix + _encode(body + _seal(key.material, body))

    def open(self, purpose: Purpose, text: str) -> Handle | None:
        """What the text says, or None for anything this server did not seal for this purpose."""
        if not text.startswith(purpose.prefix) or len(text) > _LONGEST:
            return None
        sealed = _decode(text[len(purpose.prefix) :])
        if len(sealed) < _ATTACHMENT_AT + _SEAL_BYTES or sealed[KEY_ID_BYTES] != purpose.number:
            return None
        key = self._keys.opening(_label(purpose), sealed[:KEY_ID_BYTES])
        body, seal = sealed[:-_SEAL_BYTES], sealed[-_SEAL_BYTES:]
        if key is None or not hmac.compare_digest(seal, _seal(key.material, body)):
            return None
        return Handle(
            row_id=UUID(bytes=body[_ROW_AT:_COUNTER_AT]),
            counter=int.from_bytes(body[_COUNTER_AT:_ATTACHMENT_AT], "big"),
            attachment=body[_ATTACHMENT_AT:],
        )


def _label(purpose: Purpose) -> str:
    return f"handle {purpose.number}"


def _seal(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, sha256)[:_SEAL_BYTES]


def _encode(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    """The bytes of canonical base64url, else none at all: one handle has one spelling (RFC 4648, 3.5)."""
    try:
        octets = a2b_base64(text.translate(_TO_STANDARD) + "=" * (-len(text) % 4), strict_mode=True)
    except (Base64Error, ValueError):
        return b""
    return octets if _encode(octets) == text else b""
