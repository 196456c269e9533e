import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from joserfc import jws
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from authsrv.kit.errors import DomainError
from tests.support.plain_http import NO_TLS
from tests.support.server import ServerProcess, run_cli
from tests.support.world import SECRET_KEY, Registered, World

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAKERS: dict[str, Callable[[], Key]] = {
    "ES256": lambda: ECKey.generate_key("P-256"),
    "RS256": lambda: RSAKey.generate_key(2048),
    "PS256": lambda: RSAKey.generate_key(2048),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
    "Ed25519": lambda: OKPKey.generate_key("Ed25519"),
}


def named_key(algorithm: str = "ES256") -> Key:
    key = MAKERS[algorithm]()
    key.ensure_kid()
    return key


def public_set(*keys: Key) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


def hire(world: World, key: Key, **values: Any) -> Registered:
    return world.add_client(
        **{"auth_method": "private_key_jwt", "jwks": public_set(key), "scope": "orders:read", **values}
    )


def signed(key: Key, claims: dict[str, Any], algorithm: str = "ES256", **header: Any) -> str:
    """Whatever the header and the claims, made by hand: joserfc would not write some of them."""
    protected = {"alg": algorithm, "kid": key.kid, **header}
    present = {name: value for name, value in protected.items() if value is not None}
    signing_input = f"{encoded(orjson.dumps(present))}.{encoded(orjson.dumps(claims))}"
    signature = jws.default_registry.algorithms[algorithm].sign(signing_input.encode(), key)
    return f"{signing_input}.{encoded(signature)}"


def encoded(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def claims_for(world: World, client: Registered, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": world.url,
        "iat": now,
        "exp": now + 60,
        "jti": uuid4().hex,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not ...}


def ask(world: World, assertion: str, path: str = "/oauth/token", **form: str) -> httpx.Response:
    sent = {"grant_type": "client_credentials", "client_assertion_type": TYPE, "client_assertion": assertion, **form}
    return world.http.post(path, data=sent)


def assert_refused(answer: httpx.Response) -> None:
    assert answer.status_code == 401, answer.text
    assert answer.json() == {"error": "invalid_client", "error_description": "Client authentication failed."}


@pytest.mark.parametrize("algorithm", MAKERS)
def test_a_client_proves_itself_with_its_key(world: World, algorithm: str) -> None:
    key = named_key(algorithm)
    client = hire(world, key)
    answer = ask(world, signed(key, claims_for(world, client), algorithm))
    assert answer.status_code == 200, answer.text
    assert answer.json()["scope"] == "orders:read"


def test_the_token_endpoint_is_an_audience_too(world: World) -> None:
    key = named_key()
    client = hire(world, key)
    claims = claims_for(world, client, aud=f"{world.url}/oauth/token")
    assert ask(world, signed(key, claims, typ="client-authentication+jwt"), client_id=client.client_id).is_success


def test_a_key_is_found_without_its_name(world: World) -> None:
    key, other = named_key(), named_key()
    client = hire(world, key, jwks=public_set(other, key))
    assert ask(world, signed(key, claims_for(world, client), kid=None)).is_success


def test_it_opens_introspection_and_revocation(world: World) -> None:
    key = named_key()
    client = hire(world, key)
    token = ask(world, signed(key, claims_for(world, client))).json()["access_token"]
    for path, active in (("/oauth/introspect", True), ("/oauth/revoke", None), ("/oauth/introspect", False)):
        answer = ask(world, signed(key, claims_for(world, client)), path, token=token)
        assert answer.status_code == 200, answer.text
        assert answer.json().get("active") is active


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"iss": "somebody"}, id="another issuer"),
        pytest.param({"iss": ...}, id="no issuer"),
        pytest.param({"sub": "somebody"}, id="another subject"),
        pytest.param({"sub": ...}, id="no subject"),
        pytest.param({"sub": 7}, id="a number as subject"),
        pytest.param({"aud": "https://other.example"}, id="another audience"),
        pytest.param({"aud": ...}, id="no audience"),
        pytest.param({"aud": "URL/"}, id="the issuer with a slash"),
        pytest.param({"aud": ["URL"]}, id="an array of one"),
        pytest.param({"aud": ["URL", "https://other.example"]}, id="an array of two"),
        pytest.param({"exp": ...}, id="no expiry"),
        pytest.param({"exp": -120}, id="expired"),
        pytest.param({"exp": 7200}, id="good for two hours"),
        pytest.param({"exp": "soon"}, id="an expiry in words"),
        pytest.param({"exp": True}, id="an expiry that is no number"),
        pytest.param({"exp": 1e300}, id="an endless expiry"),
        pytest.param({"nbf": 120}, id="not yet valid"),
        pytest.param({"iat": 120}, id="made in the future"),
        pytest.param({"jti": ...}, id="no jti"),
        pytest.param({"jti": ""}, id="an empty jti"),
        pytest.param({"jti": 7}, id="a number as jti"),
    ],
)
def test_a_claim_that_does_not_fit_is_refused(sqlite_world: World, changes: dict[str, Any]) -> None:
    world, key = sqlite_world, named_key()
    client = hire(world, key)
    fitted = {name: fit(name, value, world.url) for name, value in changes.items()}
    assert_refused(ask(world, signed(key, claims_for(world, client, **fitted))))


def fit(name: str, value: Any, issuer: str) -> Any:
    """Times are told from now, URL stands for the issuer."""
    if name in {"exp", "nbf", "iat"} and type(value) is int:
        return int(time.time()) + value
    if isinstance(value, list):
        return [fit(name, entry, issuer) for entry in value]
    return value.replace("URL", issuer) if isinstance(value, str) else value


@pytest.mark.parametrize(
    "ahead", [pytest.param({"exp": -20}, id="exp"), pytest.param({"iat": 20, "nbf": 20}, id="iat")]
)
def test_clocks_may_differ_a_little(sqlite_world: World, ahead: dict[str, int]) -> None:
    key, now = named_key(), int(time.time())
    client = hire(sqlite_world, key)
    claims = claims_for(sqlite_world, client, **{name: now + by for name, by in ahead.items()})
    assert ask(sqlite_world, signed(key, claims)).is_success


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"typ": "at+jwt"}, id="the type of an access token"),
        pytest.param({"typ": "dpop+jwt"}, id="the type of a DPoP proof"),
        pytest.param({"crit": ["exp"], "exp": 1}, id="a critical header nobody knows"),
        pytest.param({"kid": "another"}, id="the name of another key"),
        pytest.param({"alg": "none"}, id="no algorithm"),
        pytest.param({"alg": "HS256"}, id="an algorithm of shared secrets"),
        pytest.param({"alg": "ES384"}, id="an algorithm of other keys"),
        pytest.param({"alg": ["ES256"]}, id="a list of algorithms"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(sqlite_world: World, header: dict[str, Any]) -> None:
    key = named_key()
    client = hire(sqlite_world, key)
    claims = claims_for(sqlite_world, client)
    algorithm = header.pop("alg", None)
    right = signed(key, claims, **header)
    if algorithm is not None:
        head = encoded(orjson.dumps({"alg": algorithm, "kid": key.kid}))
        right = f"{head}.{right.split('.', 1)[1]}"
    assert_refused(ask(sqlite_world, right))


def test_the_public_key_is_no_shared_secret(sqlite_world: World) -> None:
    key = RSAKey.generate_key(2048)
    key.ensure_kid()
    client = hire(sqlite_world, key)
    for secret in (key.as_pem(private=False), orjson.dumps(key.as_dict(private=False))):
        head = encoded(orjson.dumps({"alg": "HS256", "kid": key.kid}))
        signing_input = f"{head}.{encoded(orjson.dumps(claims_for(sqlite_world, client)))}"
        mac = hmac.digest(secret, signing_input.encode(), "sha256")
        assert_refused(ask(sqlite_world, f"{signing_input}.{encoded(mac)}"))


def test_a_key_made_for_one_algorithm_serves_no_other(sqlite_world: World) -> None:
    key = named_key("RS256")
    client = hire(sqlite_world, key, jwks={"keys": [{**key.as_dict(private=False), "alg": "PS256"}]})
    assert_refused(ask(sqlite_world, signed(key, claims_for(sqlite_world, client), "RS256")))
    assert ask(sqlite_world, signed(key, claims_for(sqlite_world, client), "PS256")).is_success


@pytest.mark.parametrize(
    "form",
    [
        pytest.param({"client_assertion": "x.y.z"}, id="no token"),
        pytest.param({"client_assertion": "x" * 20_000}, id="a long one"),
        pytest.param({"client_assertion": ""}, id="an empty one"),
        pytest.param({"client_assertion": "\u00e9.\u00e9.\u00e9"}, id="not ASCII"),
        pytest.param({"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}, id="SAML"),
        pytest.param({"client_assertion_type": ""}, id="no type"),
        pytest.param({"client_id": "another"}, id="another client_id"),
    ],
)
def test_an_assertion_that_cannot_be_read_is_refused(sqlite_world: World, form: dict[str, str]) -> None:
    key = named_key()
    client = hire(sqlite_world, key)
    assert_refused(ask(sqlite_world, **{"assertion": signed(key, claims_for(sqlite_world, client)), **form}))


def test_another_clients_key_proves_nothing(sqlite_world: World) -> None:
    key, other = named_key(), named_key()
    client, _ = hire(sqlite_world, key), hire(sqlite_world, other)
    assert_refused(ask(sqlite_world, signed(other, claims_for(sqlite_world, client))))
    assert_refused(ask(sqlite_world, signed(other, claims_for(sqlite_world, client), kid=key.kid)))


def test_an_unknown_client_is_refused_alike(sqlite_world: World) -> None:
    claims = claims_for(sqlite_world, Registered("app_nobody", ""))
    assert_refused(ask(sqlite_world, signed(named_key(), claims)))


def test_a_suspended_client_is_refused(world: World) -> None:
    key = named_key()
    client = hire(world, key)
    world.suspend(client)
    assert_refused(ask(world, signed(key, claims_for(world, client))))


def test_two_ways_at_once_are_one_too_many(sqlite_world: World) -> None:
    key = named_key()
    client = hire(sqlite_world, key)
    assertion = signed(key, claims_for(sqlite_world, client))
    with_secret = ask(sqlite_world, assertion, client_id=client.client_id, client_secret="x")
    form = {"grant_type": "client_credentials", "client_assertion_type": TYPE, "client_assertion": assertion}
    with_basic = sqlite_world.http.post("/oauth/token", data=form, auth=(client.client_id, "x"))
    for answer in (with_secret, with_basic):
        assert answer.status_code == 400
        assert answer.json()["error"] == "invalid_request"
    assert ask(sqlite_world, assertion).is_success, "a refused form does not use the assertion up"


def test_each_client_authenticates_as_it_is_registered(sqlite_world: World) -> None:
    key = named_key()
    with_key, with_secret = hire(sqlite_world, key), sqlite_world.add_client(jwks=public_set(key))
    assert_refused(ask(sqlite_world, signed(key, claims_for(sqlite_world, with_secret))))
    form = {"grant_type": "client_credentials"}
    basic = sqlite_world.http.post("/oauth/token", data=form, auth=(with_key.client_id, with_key.client_secret))
    assert basic.status_code == 401


def test_an_assertion_works_once(world: World) -> None:
    key = named_key()
    client = hire(world, key)
    assertion = signed(key, claims_for(world, client))
    assert ask(world, assertion).is_success
    assert_refused(ask(world, assertion))


def test_an_assertion_is_spent_though_the_request_was_refused(world: World) -> None:
    key = named_key()
    client = hire(world, key)
    assertion = signed(key, claims_for(world, client))
    assert ask(world, assertion, scope="orders:write").json()["error"] == "invalid_scope"
    assert_refused(ask(world, assertion))


def test_two_clients_may_use_the_same_jti(world: World) -> None:
    key = named_key()
    for client in (hire(world, key), hire(world, key)):
        assert ask(world, signed(key, claims_for(world, client, jti="1"))).is_success


def test_of_many_at_once_one_wins(world: World) -> None:
    key = named_key()
    client = hire(world, key)
    for _ in range(5):
        assertion = signed(key, claims_for(world, client))
        with ThreadPoolExecutor(16) as threads:
            answers = threads.map(partial(ask, world), [assertion] * 16)
            assert sorted(answer.status_code for answer in answers) == [200] + [401] * 15


def test_of_many_processes_one_wins(empty_url: str, tmp_path: Path) -> None:
    settings = {"AUTHSRV_DATABASE_URL": empty_url, "AUTHSRV_SECRET_KEYS": SECRET_KEY}
    env = {**settings, "AUTHSRV_ISSUER": "http://127.0.0.1:1"}
    run_cli("migrate", env=env, cwd=tmp_path)
    key = named_key()
    (tmp_path / "jwks.json").write_bytes(orjson.dumps(public_set(key)))
    told = ["apps", "create", "Job", "--developer", "dev@example.com", "--type", "service", "--json"]
    told += ["--auth-method", "private_key_jwt", "--jwks", "jwks.json"]
    client = Registered(run_cli(*told, env=env, cwd=tmp_path).json()["client_id"], "")
    with (
        ServerProcess(tmp_path, settings, "--workers", "2") as server,
        httpx.Client(verify=NO_TLS, base_url=server.url) as http,
    ):
        for _ in range(5):
            now = int(time.time())
            claims = {
                "iss": client.client_id,
                "sub": client.client_id,
                "aud": server.url,
                "exp": now + 60,
                "jti": uuid4().hex,
            }
            form = {"grant_type": "client_credentials", "client_assertion_type": TYPE}
            form["client_assertion"] = signed(key, claims)
            with ThreadPoolExecutor(16) as threads:
                sent = [threads.submit(http.post, "/oauth/token", data=form) for _ in range(16)]
                assert sorted(post.result().status_code for post in sent) == [200] + [401] * 15


def test_an_assertion_costs_one_statement(world: World) -> None:
    key = named_key()
    client = hire(world, key)
    ask(world, signed(key, claims_for(world, client)))  # warm

    def cost() -> int:
        before = world.database.statements
        assert ask(world, signed(key, claims_for(world, client))).is_success
        return world.database.statements - before

    # The feed is read beside it, and on SQLite BEGIN is counted too.
    assert min(cost() for _ in range(5)) == (2 if world.database.is_sqlite else 1)


def test_the_metadata_names_the_method_and_its_algorithms(world: World) -> None:
    metadata = world.http.get("/.well-known/oauth-authorization-server").json()
    for endpoint in ("token", "introspection", "revocation"):
        assert "private_key_jwt" in metadata[f"{endpoint}_endpoint_auth_methods_supported"]
        algorithms = metadata[f"{endpoint}_endpoint_auth_signing_alg_values_supported"]
        assert set(algorithms) == set(MAKERS)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        pytest.param({}, "jwks", id="no key"),
        pytest.param({"jwks": {"keys": []}}, "jwks", id="an empty set"),
        pytest.param({"jwks": public_set(ECKey.generate_key("P-521"))}, "jwks", id="no key of ours"),
        pytest.param({"jwks": {"keys": [OctKey.generate_key(256).as_dict()]}}, "jwks", id="a shared secret"),
        pytest.param(
            {"jwks": {"keys": [ECKey.generate_key("P-256").as_dict(private=True)]}}, "jwks", id="a private key"
        ),
        pytest.param({"jwks_uri": "http://app.example/jwks"}, "jwks_uri", id="plain http"),
        pytest.param(
            {"jwks_uri": "https://app.example/", "jwks": public_set(ECKey.generate_key("P-256"))}, "jwks_uri", id="both"
        ),
    ],
)
def test_keys_that_cannot_work_are_not_registered(sqlite_world: World, values: dict[str, Any], field: str) -> None:
    with pytest.raises(DomainError) as refused:
        sqlite_world.add_client(auth_method="private_key_jwt", **values)
    assert refused.value.code == "invalid_client_metadata"
    assert refused.value.description.startswith(field)


def test_the_command_line_takes_where_keys_are_published(tmp_path: Path) -> None:
    env = {"AUTHSRV_DATABASE_URL": "sqlite:///cli.db", "AUTHSRV_ISSUER": "http://127.0.0.1:1"}
    told = ["apps", "create", "Job", "--developer", "dev@example.com", "--type", "service", "--json"]
    told += ["--auth-method", "private_key_jwt", "--jwks-uri", "https://app.example/jwks"]
    made = run_cli(*told, env=env, cwd=tmp_path).json()
    assert made["jwks_uri"] == "https://app.example/jwks"
    assert "client_secret" not in made
