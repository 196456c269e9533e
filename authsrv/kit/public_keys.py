"""Other people's public keys: reading their JWK Sets, and checking what they signed (RFC 7517, RFC 8725)."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key

from authsrv.kit.signing import read_header, verify

ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA", "Ed25519")
_MOST_KEYS = 20
_RSA_BITS = range(2048, 8193)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that checks signatures, and the algorithms its owner can have signed with."""

    kid: str | None
    algorithms: tuple[str, ...]
    key: Key


def read_public_keys(document: Any) -> tuple[PublicKey, ...]:
    """The keys of a JWK Set that check signatures here; others are passed over (RFC 7517, 5)."""
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        return ()
    keys = (_read(entry) for entry in entries[:_MOST_KEYS] if isinstance(entry, dict))
    return tuple(key for key in keys if key is not None)


def verify_with(text: str, keys: Sequence[PublicKey]) -> dict[str, Any] | None:
    """The claims of a JWT that one of the keys signed, else None. The key says which algorithm (RFC 8725, 3.1)."""
    header = read_header(text)
    if header is None:
        return None
    kid, algorithm = header.get("kid"), header.get("alg")
    for candidate in keys:
        # A key without a name may be the one; a name on either side alone rules nothing out.
        is_named = kid is None or candidate.kid is None or kid == candidate.kid
        if is_named and isinstance(algorithm, str) and algorithm in candidate.algorithms:
            claims = verify(text, candidate.key, algorithm)
            if claims is not None:
                return claims
    return None


def _read(entry: dict[str, Any]) -> PublicKey | None:
    if entry.get("use", "sig") != "sig" or entry.get("kty") not in ("EC", "RSA", "OKP"):
        return None
    try:
        with warnings.catch_warnings():
            # A small RSA key is judged below, not warned of.
            warnings.simplefilter("ignore", SecurityWarning)
            key = import_key(entry)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    algorithms = _algorithms_of(key)
    if "alg" in entry:
        algorithms = tuple(name for name in algorithms if name == entry["alg"])
    kid = entry.get("kid")
    # Who publishes the private half has no key any more.
    return (
        PublicKey(kid if isinstance(kid, str) else None, algorithms, key) if algorithms and not key.is_private else None
    )


def _algorithms_of(key: Key) -> tuple[str, ...]:
    match key:
        case ECKey(curve_name="P-256"):
            return ("ES256",)
        case RSAKey() if key.raw_value.key_size in _RSA_BITS:
            return ("RS256", "PS256")
        case OKPKey(curve_name="Ed25519"):
            return ("EdDSA", "Ed25519")  # one algorithm, renamed by RFC 9864
        case _:
            return ()
