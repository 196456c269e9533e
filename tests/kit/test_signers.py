"""A signer makes what joserfc would have made, so that everybody can check it (RFC 7515, RFC 7518)."""

import pytest
from joserfc import jws
from joserfc.jwk import import_key

from authsrv.kit.signing import ALGORITHMS, Algorithm, Signer, generate_key, public_jwk, verify


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_a_signer_signs_others_verify(algorithm: Algorithm) -> None:
    key = generate_key(algorithm)
    signer = Signer(key, algorithm)
    public = import_key(public_jwk(key, algorithm))
    # Each ES256 signature has its own R and S, of which one in 128 begins with a zero octet that must not be lost.
    for number in range(300 if algorithm == "ES256" else 3):
        token = signer.sign({"n": number}, "at+jwt")
        assert verify(token, public, algorithm) == {"n": number}


def test_each_kind_of_token_has_its_own_type() -> None:
    signer = Signer(generate_key("ES256"), "ES256")
    types = [jws.extract_compact(signer.sign({}, typ).encode()).headers()["typ"] for typ in ("JWT", "at+jwt", "JWT")]
    assert types == ["JWT", "at+jwt", "JWT"]
