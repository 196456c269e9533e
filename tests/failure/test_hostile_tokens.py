"""JWTs made to be believed: wrong algorithms, foreign keys, other types, and claims that are not what they must be."""

import hmac
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any
from uuid import uuid4

import orjson
import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from tests.actors import Service, bearer
from tests.support.world import World

Claims = dict[str, Any]
ANY_HEADER = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)


@pytest.fixture
def service(sqlite_world: World) -> Service:
    return Service.hired(sqlite_world)


def base64url(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def read_part(text: str) -> Any:
    return orjson.loads(urlsafe_b64decode(text + "=="))


def compact(header: object, claims: object, signature: bytes = b"x" * 64) -> str:
    return ".".join((base64url(orjson.dumps(header)), base64url(orjson.dumps(claims)), base64url(signature)))


def genuine(service: Service) -> tuple[dict[str, Any], Claims]:
    """Header and claims of a token that is good, to be bent."""
    header, claims, _ = service.get_token().split(".")
    return read_part(header), read_part(claims)


def refused_everywhere(service: Service, token: str) -> None:
    assert service.introspect(token) == {"active": False}
    assert service.revoke(token).status_code == 200
    if token.isascii() and len(token) < 60_000:
        assert service.world.http.get("/orders", headers=bearer(token)).status_code == 401


@pytest.mark.parametrize(
    "bent",
    [
        pytest.param({"alg": "none"}, id="alg-none"),
        pytest.param({"alg": "None"}, id="alg-None"),
        pytest.param({"alg": "HS256"}, id="alg-HS256"),
        pytest.param({"alg": "ES384"}, id="alg-of-another-curve"),
        pytest.param({"alg": ["ES256"]}, id="alg-a-list"),
        pytest.param({"alg": None}, id="alg-null"),
        pytest.param({"kid": "../../../etc/passwd"}, id="kid-a-path"),
        pytest.param({"kid": "x' OR '1'='1"}, id="kid-sql"),
        pytest.param({"kid": ["a"]}, id="kid-a-list"),
        pytest.param({"kid": {"a": 1}}, id="kid-an-object"),
        pytest.param({"kid": None}, id="kid-null"),
        pytest.param({"kid": "\0"}, id="kid-nul"),
        pytest.param({"typ": "JWT"}, id="typ-JWT"),
        pytest.param({"typ": None}, id="typ-null"),
        pytest.param({"typ": ["at+jwt"]}, id="typ-a-list"),
        pytest.param({"crit": ["exp"]}, id="crit-unknown"),
        pytest.param({"crit": "exp"}, id="crit-no-list"),
        pytest.param({"b64": False, "crit": ["b64"]}, id="b64-false"),
        pytest.param({"zip": "DEF"}, id="zip"),
        pytest.param({"enc": "A256GCM"}, id="enc"),
    ],
)
def test_a_bent_header_is_refused(service: Service, bent: dict[str, Any]) -> None:
    header, claims = genuine(service)
    for signature in (b"", b"x" * 64, b"x" * 71):
        refused_everywhere(service, compact({**header, **bent}, claims, signature))


def test_the_public_key_is_no_hmac_secret(service: Service) -> None:
    header, claims = genuine(service)
    for jwk in service.world.http.get("/oauth/jwks").json()["keys"]:
        for secret in (orjson.dumps(jwk), jwk.get("x", jwk.get("n")).encode(), b""):
            bent = {**header, "alg": "HS256", "kid": jwk["kid"]}
            content = f"{base64url(orjson.dumps(bent))}.{base64url(orjson.dumps(claims))}"
            seal = hmac.digest(secret, content.encode(), sha256)
            refused_everywhere(service, f"{content}.{base64url(seal)}")


def test_a_key_that_the_token_brings_along_is_not_used(service: Service) -> None:
    header, claims = genuine(service)
    key = ECKey.generate_key("P-256")
    public = key.as_dict(private=False)
    for brought in (
        {"jwk": public},
        {"jku": f"{service.world.url}/oauth/jwks"},
        {"x5u": service.world.url},
        {"x5c": ["AAAA"]},
    ):
        own = sign_with({**header, **brought}, claims, key)
        refused_everywhere(service, own)
        refused_everywhere(service, sign_with({**header, **brought, "kid": key.thumbprint()}, claims, key))


@pytest.mark.parametrize("typ", ["JWT", "logout+jwt", "dpop+jwt", "oauth-authz-req+jwt", "token-introspection+jwt", ""])
def test_what_we_signed_for_something_else_is_no_access_token(service: Service, typ: str) -> None:
    """An ID token, say: a good signature by our own key over claims that would do."""
    _, claims = genuine(service)
    refused_everywhere(service, signed_by_us(service, claims, typ))
    # The same claims with the right type are one, or this proved nothing.
    assert service.introspect(signed_by_us(service, claims, "at+jwt"))["active"] is True


@pytest.mark.parametrize(
    ("claim", "values"),
    [
        ("exp", [str(2**31), 2.0**31 + 0.5, -1, 2**31 * 10**9, 2**53, True, None, [], {}]),
        ("iat", ["now", 1.5, -1, 2**62, None]),
        ("aud", [{}, {"a": 1}, [], [1], [["x"]], None, 7, "https://elsewhere.example"]),
        ("iss", ["https://elsewhere.example", None, 1, ["x"], "HTTP://127.0.0.1"]),
        ("sub", [None, 1, ["x"]]),
        ("jti", [None, 1, "x", "", str(uuid4()), ["x"], {}]),
        ("client_id", [None, 1, ["x"]]),
        ("scope", [None, 1, ["orders:read"], {}]),
        ("store", [1, ["x"], {}]),
        ("grant_id", [1, ["x"]]),
        ("auth_time", ["x", 1.5]),
    ],
)
def test_claims_of_the_wrong_kind_make_no_token_though_we_signed_them(
    service: Service, claim: str, values: list[object]
) -> None:
    _, claims = genuine(service)
    for value in values:
        token = signed_by_us(service, {**claims, claim: value}, "at+jwt")
        assert service.world.http.get("/orders", headers=bearer(token)).status_code == 401, value
        assert service.revoke(token).status_code in {200, 400}
        # A token for another audience is good, elsewhere.
        if claim != "aud":
            assert service.introspect(token) == {"active": False}, value
    if claim not in {"store", "grant_id", "auth_time"}:
        refused_everywhere(service, signed_by_us(service, {k: v for k, v in claims.items() if k != claim}, "at+jwt"))


@pytest.mark.parametrize(
    "payload", [b"[]", b"null", b"1", b'"x"', b"", b"{", b"\xff", b"[" * 20_000, b'{"a":' * 20_000]
)
def test_a_payload_or_header_that_is_no_object_is_refused(service: Service, payload: bytes) -> None:
    refused_everywhere(service, f"{base64url(payload)}.{base64url(b'{}')}.{base64url(b'x' * 64)}")
    header, _ = genuine(service)
    refused_everywhere(service, f"{base64url(orjson.dumps(header))}.{base64url(payload)}.{base64url(b'x' * 64)}")


def test_a_token_expires_to_the_second(service: Service) -> None:
    _, claims = genuine(service)
    for expiry in (int(time.time()), 0):
        refused_everywhere(service, signed_by_us(service, {**claims, "exp": expiry}, "at+jwt"))


def signed_by_us(service: Service, claims: Claims, typ: str) -> str:
    return service.world.runtime.keyring.signing("ES256").signer.sign(claims, typ)


def sign_with(header: dict[str, Any], claims: Claims, key: ECKey) -> str:
    return jws.serialize_compact(header, orjson.dumps(claims), key, registry=ANY_HEADER)
