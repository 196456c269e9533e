"""Signing keys: making them, and signing and checking JWTs with them (RFC 7515, 7517, 7518, 8037)."""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from copy import copy
from functools import partial
from typing import Any, Literal, TypeAlias, cast

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers, RSAPublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key
from joserfc.util import base64_to_int

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
_ES256 = ECDSA(SHA256())
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
    """The key that `export_private` wrote; it was sealed since, so its numbers are not judged again."""
    jwk = orjson.loads(document)
    return _import_rsa(jwk) if jwk["kty"] == "RSA" else import_key(jwk)


def public_jwk(key: Key, algorithm: Algorithm) -> dict[str, Any]:
    """The public half as it stands in the JWKS (RFC 7517, 4)."""
    return {**key.as_dict(private=False), "use": "sig", "alg": algorithm}


class Signer:
    """Signs with one key.

    What all its tokens have in common is found out once: joserfc spells the header and judges the key anew for every
    token, which costs a third of what the signature itself does.
    """

    def __init__(self, key: Key, algorithm: Algorithm) -> None:
        """Raises a JoseError for a key that this algorithm does not sign with."""
        signs = _REGISTRIES[algorithm].get_alg(algorithm)
        key.check_use("sig")
        signs.check_key(key)
        self._kid = key.kid
        self._algorithm = algorithm
        self._headers: dict[str, bytes] = {}
        self._sign: Callable[[bytes], bytes] = (
            partial(_sign_es256, cast("EllipticCurvePrivateKey", key.get_op_key("sign")))
            if algorithm == "ES256"
            else partial(signs.sign, key=key)
        )

    def sign(self, claims: Mapping[str, Any], typ: str) -> str:
        """A compact JWS over the claims; `typ` keeps one kind of token from passing for another (RFC 8725, 3.11)."""
        header = self._headers.get(typ)
        if header is None:
            # RFC 7515, 7.1
            header = _encode(orjson.dumps({"alg": self._algorithm, "typ": typ, "kid": self._kid})) + b"."
            self._headers[typ] = header
        signing_input = header + _encode(orjson.dumps(claims))
        return (signing_input + b"." + _encode(self._sign(signing_input))).decode("ascii")


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


def _sign_es256(key: EllipticCurvePrivateKey, signing_input: bytes) -> bytes:
    """R and S, 32 octets each (RFC 7518, 3.4); OpenSSL speaks of them in DER."""
    r, s = decode_dss_signature(key.sign(signing_input, _ES256))
    return (r << 256 | s).to_bytes(64, "big")


def _import_rsa(jwk: Mapping[str, str]) -> Key:
    """To judge whether primes are primes takes ninety times as long as to read them (RFC 7518, 6.3)."""
    number = {name: base64_to_int(jwk[name]) for name in ("n", "e", "d", "p", "q", "dp", "dq", "qi")}
    numbers = RSAPrivateNumbers(
        p=number["p"],
        q=number["q"],
        d=number["d"],
        dmp1=number["dp"],
        dmq1=number["dq"],
        iqmp=number["qi"],
        public_numbers=RSAPublicNumbers(number["e"], number["n"]),
    )
    return RSAKey.import_key(numbers.private_key(unsafe_skip_rsa_key_validation=True), {"kid": jwk["kid"]})


def _encode(octets: bytes) -> bytes:
    return urlsafe_b64encode(octets).rstrip(b"=")
