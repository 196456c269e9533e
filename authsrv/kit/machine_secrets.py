"""Long-lived secrets that people copy between machines: 256 random bits, a prefix for scanners, a checksum for typos.

They are stored as SHA-256, which suffices for what cannot be guessed; slow hashes are for what a person chose.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from hashlib import sha256
from zlib import crc32

from authsrv.kit.entropy import Entropy

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECKSUM_LENGTH = 6


def make_secret(prefix: str, entropy: Entropy) -> str:
    """A new secret of letters, digits, `-` and `_`, so that raw and form-encoding senders agree on its spelling."""
    return spell_secret(prefix, entropy.token_bytes(32))


def spell_secret(prefix: str, bits: bytes) -> str:
    """The secret these bits make: prefix, 43 characters of base64url, 6 of checksum."""
    text = prefix + urlsafe_b64encode(bits).rstrip(b"=").decode("ascii")
    return text + _checksum(text)


def is_well_formed(prefix: str, text: str) -> bool:
    """Whether this can be one of our secrets at all; a typo is caught here, before any look-up."""
    return (
        text.startswith(prefix) and text.isascii() and text[-_CHECKSUM_LENGTH:] == _checksum(text[:-_CHECKSUM_LENGTH])
    )


def digest_of(text: str) -> bytes:
    """What is stored in place of the secret."""
    return sha256(text.encode()).digest()


def matches_any(text: str, digests: Iterable[bytes]) -> bool:
    """Whether the secret is one of those stored; takes the same time for a near miss and a far one."""
    return is_among(digest_of(text), digests)


def is_among(presented: bytes, digests: Iterable[bytes]) -> bool:
    """The same for a secret whose digest is at hand."""
    found = False
    for digest in digests:
        found |= hmac.compare_digest(presented, digest)
    return found


def _checksum(text: str) -> str:
    number = crc32(text.encode())
    digits = ""
    for _ in range(_CHECKSUM_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
