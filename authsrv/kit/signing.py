"""Signing keys: making them, and signing and checking JWTs with them (RFC 7515, 7517, 7518, 8037)."""

from collections.abc import Callable, Mapping
from copy import copy
from functools import lru_cache
from typing import Any, Literal, TypeAlias

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key
from joserfc.util import urlsafe_b64encode

Algorithm: TypeAlias = Literal["ES256", "RS256", "EdDSA"]
ALGORITHMS: tuple[Algorithm, ...] = ("ES256", "RS256", "EdDSA")
_MAKERS: Mapping[Algorithm, Callable[[], Key]] = {
    "ES256": lambda: ECKey.generate_key("P-256"),
    "RS256": lambda: RSAKey.generate_key(2048),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
}


class _Registry(jws.JWSRegistry):
    """joserfc's own, without its warning at each use of EdDSA: RFC 9864 renames it, but clients verify EdDSA still."""


_Registry.algorithms = dict(jws.JWSRegistry.algorithms)
_Registry.algorithms["EdDSA"] = copy(_Registry.algorithms["EdDSA"])
_Registry.algorithms["EdDSA"].security_warning = None
# What others sign with may be more than what is signed with here; headers nobody knows are passed over (RFC 7515, 4).
_REGISTRIES = {
    algorithm: _Registry(algorithms=[algorithm], strict_check_header=False)
    for algorithm in (*ALGORITHMS, "PS256", "Ed25519")
}


def generate_key(algorithm: Algorithm) -> Key:
    """A fresh private key; its `kid` is its thumbprint (RFC 7638)."""
    key = _MAKERS[algorithm]()
    key.ensure_kid()
    return key


def export_private(key: Key) -> bytes:
    """The private JWK as JSON, to be sealed before it is stored."""
    return orjson.dumps(key.as_dict(private=True))


def import_private(document: bytes) -> Key:
    """The key that `export_private` wrote."""
    return import_key(orjson.loads(document))


def public_jwk(key: Key, algorithm: Algorithm) -> dict[str, Any]:
    """The public half as it stands in the JWKS (RFC 7517, 4)."""
    return {**key.as_dict(private=False), "use": "sig", "alg": algorithm}


def sign(claims: Mapping[str, Any], key: Key, algorithm: Algorithm, typ: str) -> str:
    """A compact JWS over the claims; `typ` keeps one kind of token from passing for another (RFC 8725, 3.11)."""
    signs = _REGISTRIES[algorithm].get_alg(algorithm)
    key.check_use("sig")
    signs.check_key(key)
    # RFC 7515, 7.1, put together here: joserfc would spell and judge the same few headers anew for every token.
    signing_input = _header(algorithm, typ, key.kid) + b"." + urlsafe_b64encode(orjson.dumps(claims))
    return (signing_input + b"." + urlsafe_b64encode(signs.sign(signing_input, key))).decode("ascii")


def read_header(token: str) -> dict[str, Any] | None:
    """The header of a compact JWS, unverified, or None where there is none."""
    if token.count(".") != 2:
        return None
    try:
        return jws.extract_compact(token.encode("ascii")).headers()
    except (JoseError, ValueError, TypeError):
        return None


def verify(token: str, key: Key, algorithm: str) -> dict[str, Any] | None:
    """The claims of a token that this key signed with this algorithm, else None."""
    try:
        claims = orjson.loads(jws.deserialize_compact(token, key, registry=_REGISTRIES[algorithm]).payload)
    except (JoseError, ValueError, TypeError):
        return None
    return claims if isinstance(claims, dict) else None


@lru_cache(maxsize=64)
def _header(algorithm: Algorithm, typ: str, kid: str) -> bytes:
    return urlsafe_b64encode(orjson.dumps({"alg": algorithm, "typ": typ, "kid": kid}))
