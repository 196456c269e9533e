"""The metadata and the keys: they say what is there, and nothing else (RFC 8414, 9728 and 7517, OIDC Discovery)."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.actors import Service
from tests.support.world import World

DOCUMENTS = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")
PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "k", "oth"}


@pytest.mark.parametrize("path", DOCUMENTS)
def test_the_issuer_is_the_setting_to_the_letter(world: World, path: str) -> None:
    answer = world.http.get(path)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.json()["issuer"] == world.url


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_endpoint_that_is_named_is_there(sqlite_world: World, path: str) -> None:
    document = sqlite_world.http.get(path).json()
    named = {name: value for name, value in document.items() if name.endswith(("_endpoint", "_uri"))}
    assert {"token_endpoint", "introspection_endpoint", "revocation_endpoint", "jwks_uri"} <= set(named)
    for url in named.values():
        assert url.startswith(sqlite_world.url + "/")
        # Some want to be called otherwise, or with more; none is missing, and none breaks.
        assert sqlite_world.http.get(url).status_code in {200, 302, 400, 401, 405}


def test_both_documents_say_the_same(sqlite_world: World) -> None:
    oauth, openid = (sqlite_world.http.get(path).json() for path in DOCUMENTS)
    assert {name: openid[name] for name in oauth} == oauth
    assert {"subject_types_supported", "id_token_signing_alg_values_supported"} <= set(openid)


def test_what_is_said_to_be_supported_is(sqlite_world: World) -> None:
    document = sqlite_world.http.get(DOCUMENTS[0]).json()
    service = Service.hired(sqlite_world, scope=" ".join(document["scopes_supported"]))
    assert "client_credentials" in document["grant_types_supported"]
    assert service.ask_for_token().status_code == 200
    assert document["request_uri_parameter_supported"] is False
    assert not {"password", "implicit"} & set(document["grant_types_supported"])
    for grant in ("authorization_code", "refresh_token", "password"):
        told = service.ask_for_token(grant_type=grant).json()["error"]
        assert (told == "unsupported_grant_type") == (grant not in document["grant_types_supported"])
    for endpoint in ("token", "introspection", "revocation"):
        methods = document[f"{endpoint}_endpoint_auth_methods_supported"]
        assert {"client_secret_basic", "client_secret_post"} <= set(methods)


@pytest.mark.parametrize(
    ("path", "resource"),
    [("", ""), ("/orders", "/orders")],
    ids=["the server", "the Order API"],
)
def test_each_protected_resource_describes_itself(world: World, path: str, resource: str) -> None:
    document = world.http.get(f"/.well-known/oauth-protected-resource{path}").json()
    assert document["resource"] == world.url + resource
    assert document["authorization_servers"] == [world.url]
    assert document["bearer_methods_supported"] == ["header"]
    assert {"orders:read", "orders:write"} <= set(document["scopes_supported"])


@pytest.mark.parametrize("path", ["/nowhere", "/orders/1", "/orders/", "/oauth/token"])
def test_what_is_no_protected_resource_has_no_document(sqlite_world: World, path: str) -> None:
    assert sqlite_world.http.get(f"/.well-known/oauth-protected-resource{path}").status_code == 404


def test_another_issuers_document_is_not_ours_to_give(sqlite_world: World) -> None:
    assert sqlite_world.http.get("/.well-known/oauth-authorization-server/another").status_code == 404


def test_an_issuer_with_a_path_stands_behind_the_well_known_part(tmp_path: Path) -> None:
    world = World(f"sqlite:///{tmp_path / 'authsrv.db'}", issuer="http://127.0.0.1/auth")
    try:
        for path in ("/.well-known/oauth-authorization-server/auth", "/auth/.well-known/openid-configuration"):
            document = world.http.get(path).json()
            assert document["issuer"] == "http://127.0.0.1/auth"
            token_path = urlsplit(document["token_endpoint"]).path
            assert token_path == "/auth/oauth/token"
            assert world.http.get(token_path).status_code == 405
        assert world.http.get("/.well-known/oauth-protected-resource/auth/orders").status_code == 200
        service = Service.hired(world)
        granted = world.http.post(
            "/auth/oauth/token", data={"grant_type": "client_credentials"}, auth=service.basic
        ).json()
        headers = {"Authorization": f"Bearer {granted['access_token']}"}
        assert world.http.get("/auth/orders", headers=headers).status_code == 200
        assert world.http.get(f"/auth/stores/{service.store}/orders", headers=headers).status_code == 200
    finally:
        world.close()


def test_the_key_set_holds_public_keys_alone(world: World) -> None:
    answer = world.http.get("/oauth/jwks")
    assert answer.headers["content-type"] == "application/jwk-set+json"
    assert answer.headers["cache-control"] == "public, max-age=300"
    keys = answer.json()["keys"]
    assert sorted(key["alg"] for key in keys) == ["ES256", "EdDSA", "RS256"]
    for key in keys:
        assert not PRIVATE_MEMBERS & set(key)
        assert key["use"] == "sig"
        assert key["kid"]
    assert len({key["kid"] for key in keys}) == len(keys)


@pytest.mark.parametrize("path", [*DOCUMENTS, "/oauth/jwks", "/healthz"])
def test_head_is_get_without_the_body(sqlite_world: World, path: str) -> None:
    head = sqlite_world.http.head(path)
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == str(len(sqlite_world.http.get(path).content))
