"""Signatures: made with one algorithm, read with that one alone (RFC 8725)."""

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OctKey

from authsrv.kit.signing import (
    ALGORITHMS,
    Algorithm,
    Signer,
    export_private,
    generate_key,
    import_private,
    public_jwk,
    read_header,
    verify,
)

NONE = b'{"alg":"none"}'
KEYS = {algorithm: generate_key(algorithm) for algorithm in ALGORITHMS}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_is_signed_is_read_back(algorithm: Algorithm) -> None:
    key = KEYS[algorithm]
    token = Signer(key, algorithm).sign({"sub": "é"}, "at+jwt")
    assert read_header(token) == {"alg": algorithm, "typ": "at+jwt", "kid": key.kid}
    assert verify(token, key, algorithm) == {"sub": "é"}
    assert verify(token, import_private(export_private(key)), algorithm) == {"sub": "é"}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_changed_token_is_none(algorithm: Algorithm) -> None:
    key = KEYS[algorithm]
    signer = Signer(key, algorithm)
    head, body, signature = signer.sign({"sub": "a"}, "at+jwt").split(".")
    _, other_body, other_signature = signer.sign({"sub": "b"}, "at+jwt").split(".")
    for wrong in (f"{head}.{other_body}.{signature}", f"{head}.{body}.{other_signature}", f"{head}.{body}."):
        assert verify(wrong, key, algorithm) is None


def test_a_public_key_is_no_secret_to_sign_with() -> None:
    """The oldest trick: an HMAC under the published key."""
    public = public_jwk(KEYS["RS256"], "RS256")
    token = jws.serialize_compact({"alg": "HS256"}, b"{}", OctKey.import_key(public["n"]), algorithms=["HS256"])
    assert verify(token, KEYS["RS256"], "RS256") is None


def test_an_unsigned_token_is_none() -> None:
    token = f"{_encoded(NONE)}.{_encoded(b'{}')}."
    for algorithm in ALGORITHMS:
        assert verify(token, KEYS[algorithm], algorithm) is None


@pytest.mark.parametrize("payload", [b"[]", b'"text"', b"null", b"no JSON"], ids=bytes.decode)
def test_claims_are_an_object_or_nothing(payload: bytes) -> None:
    token = jws.serialize_compact({"alg": "ES256"}, payload, KEYS["ES256"], algorithms=["ES256"])
    assert verify(token, KEYS["ES256"], "ES256") is None


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    for candidate in (text, f"{text}.{text}.{text}"):
        read_header(candidate)
        assert verify(candidate, KEYS["ES256"], "ES256") is None


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_published_half_has_no_private_member(algorithm: Algorithm) -> None:
    assert not {"d", "p", "q", "dp", "dq", "qi"} & set(public_jwk(KEYS[algorithm], algorithm))


def _encoded(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
