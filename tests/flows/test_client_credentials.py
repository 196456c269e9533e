"""A service gets a token for itself (RFC 6749, 4.4; RFC 9068; RFC 8707)."""

import time
from base64 import b64encode
from contextlib import nullcontext
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import KeySet

from authsrv.kit.identifiers import made_at
from tests.actors import FORM, Service
from tests.engines import on_postgresql_alone
from tests.support.world import World

ALGORITHMS = ("ES256", "RS256", "EdDSA")


def read_jwt(world: World, token: str, algorithm: str) -> jwt.Token:
    """The token as any other program would check it: by the published keys alone."""
    keys = KeySet.import_key_set(world.http.get("/oauth/jwks").json())
    # joserfc speaks up for EdDSA's new name (RFC 9864).
    with pytest.warns(SecurityWarning) if algorithm == "EdDSA" else nullcontext():
        return jwt.decode(token, keys, algorithms=[algorithm])


def aud_of(service: Service, token: str) -> Any:
    return service.introspect(token)["aud"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_jwt_is_of_the_form_that_rfc_9068_asks_for(world: World, algorithm: str) -> None:
    service = Service.hired(world, signing_alg=algorithm)
    began = int(time.time())

    answer = service.ask_for_token()

    granted = answer.json()
    token = read_jwt(world, granted["access_token"], algorithm)
    published = {key["kid"]: key["alg"] for key in world.http.get("/oauth/jwks").json()["keys"]}
    assert token.header["typ"] == "at+jwt"
    assert token.header["alg"] == algorithm == published[token.header["kid"]]
    claims = token.claims
    assert set(claims) == {"iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope", "store"}
    assert claims["iss"] == claims["aud"] == world.url
    assert claims["sub"] == claims["client_id"] == service.client_id
    assert claims["scope"] == granted["scope"] == "orders:read orders:write"
    assert claims["store"] == service.store
    assert began <= claims["iat"] <= time.time()
    assert claims["exp"] - claims["iat"] == granted["expires_in"] == 3600
    assert abs(made_at(UUID(claims["jti"])).timestamp() - claims["iat"]) < 2


def test_the_answer_is_exactly_what_the_standard_names(world: World) -> None:
    answer = Service.hired(world).ask_for_token()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    assert answer.json()["token_type"] == "Bearer"
    assert set(answer.json()) == {"access_token", "token_type", "expires_in", "scope"}


def test_no_two_tokens_are_the_same(world: World) -> None:
    service = Service.hired(world)
    assert len({service.get_token() for _ in range(5)}) == 5


def test_an_opaque_client_gets_a_short_text_that_says_nothing(world: World) -> None:
    service = Service.hired(world, token_format="opaque")
    token = service.get_token()
    assert token.startswith("at_")
    assert token.count(".") == 0
    assert token.replace("-", "").replace("_", "").isalnum()
    described = service.introspect(token)
    assert described["active"] is True
    assert described["scope"] == "orders:read orders:write"
    assert world.http.get("/orders", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_a_client_can_have_a_lifetime_of_its_own(world: World) -> None:
    service = Service.hired(world, access_seconds=90)
    assert service.ask_for_token().json()["expires_in"] == 90


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_client_may_be_held_to_one_way_of_sending_its_secret(world: World, method: str) -> None:
    service = Service.hired(world, auth_method=method)
    grant = {"grant_type": "client_credentials"}
    by_header = world.http.post("/oauth/token", data=grant, auth=service.basic)
    in_body = world.http.post("/oauth/token", data={**grant, **service.in_body})
    right, wrong = (by_header, in_body) if method == "client_secret_basic" else (in_body, by_header)
    assert right.status_code == 200
    assert wrong.status_code == 401
    assert wrong.json()["error"] == "invalid_client"


def test_a_client_that_was_held_to_nothing_may_use_either_way(world: World) -> None:
    service = Service.hired(world)
    grant = {"grant_type": "client_credentials"}
    assert world.http.post("/oauth/token", data=grant, auth=service.basic).status_code == 200
    assert world.http.post("/oauth/token", data={**grant, **service.in_body}).status_code == 200


def test_basic_credentials_are_form_decoded_as_rfc_6749_says(world: World) -> None:
    service = Service.hired(world)
    # Every character as %XX is what a strict encoder may send.
    encoded = ":".join(
        "".join(f"%{byte:02X}" for byte in text.encode())
        for text in (service.client_id, service.credentials.client_secret)
    )
    plain = quote(service.client_id, safe="") + ":" + quote(service.credentials.client_secret, safe="")
    for text in (encoded, plain):
        header = {"Authorization": f"Basic {b64encode(text.encode()).decode()}"}
        answer = world.http.post("/oauth/token", data={"grant_type": "client_credentials"}, headers=header)
        assert answer.status_code == 200


@pytest.mark.parametrize("scheme", ["basic", "BASIC"])
def test_the_scheme_is_read_in_any_case(world: World, scheme: str) -> None:
    service = Service.hired(world)
    text = b64encode(f"{service.client_id}:{service.credentials.client_secret}".encode()).decode()
    answer = world.http.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, headers={"Authorization": f"{scheme} {text}"}
    )
    assert answer.status_code == 200


def test_naming_oneself_in_the_body_beside_basic_is_fine(world: World) -> None:
    service = Service.hired(world)
    assert service.ask_for_token(client_id=service.client_id).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [FORM, f"{FORM};charset=utf-8", f"{FORM}; charset=UTF-8", FORM.title()],
    ids=["none", "close", "spaced", "another case"],
)
@on_postgresql_alone()
def test_a_charset_behind_the_content_type_changes_nothing(world: World, content_type: str) -> None:
    answer = world.http.post(
        "/oauth/token",
        content="grant_type=client_credentials",
        headers={"Content-Type": content_type},
        auth=Service.hired(world).basic,
    )
    assert answer.status_code == 200


def test_parameters_nobody_knows_and_empty_ones_are_ignored(world: World) -> None:
    service = Service.hired(world)
    assert service.ask_for_token(colour="green", scope="", resource="").status_code == 200


def test_without_a_scope_a_service_gets_all_it_has(world: World) -> None:
    service = Service.hired(world, scope="products:read orders:read")
    assert service.ask_for_token().json()["scope"] == "products:read orders:read"


def test_a_service_made_without_a_list_has_the_default_scopes(world: World) -> None:
    store = world.add_store()
    service = Service(world, store.prefix, world.add_client(store=store.prefix))
    assert service.ask_for_token().json()["scope"] == "orders:read products:read"


@pytest.mark.parametrize("asked", ["orders:read", " orders:read  orders:read "], ids=["one", "one, twice and spaced"])
def test_a_service_may_ask_for_less(world: World, asked: str) -> None:
    answer = Service.hired(world).ask_for_token(scope=asked)
    assert answer.json()["scope"] == "orders:read"


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param("orders:read webhooks", id="one it was not given"),
        pytest.param("orders:read unheard-of", id="one there is not"),
        pytest.param("openid", id="one that only a person can give"),
        pytest.param("ORDERS:READ", id="another case"),
        pytest.param("orders:read\torders:write\x00", id="a NUL"),
        pytest.param("orders:read\norders:write", id="parted by a line break"),
        pytest.param("\u3000", id="a wide space alone"),
    ],
)
@on_postgresql_alone()
def test_asking_for_more_is_an_invalid_scope(world: World, asked: str) -> None:
    answer = Service.hired(world).ask_for_token(scope=asked)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_scope"


def test_scopes_that_speak_of_a_person_never_reach_a_service(world: World) -> None:
    service = Service.hired(world, scope="openid email orders:read account:read")
    assert service.ask_for_token().json()["scope"] == "orders:read"
    assert service.ask_for_token(scope="account:read").json()["error"] == "invalid_scope"


def test_the_audience_is_the_issuer_or_what_was_asked_for(world: World) -> None:
    service = Service.hired(world)
    orders = f"{world.url}/orders"
    assert aud_of(service, service.get_token()) == world.url
    assert aud_of(service, service.get_token(resource=orders)) == orders
    assert aud_of(service, service.get_token(resource=[orders, world.url])) == [orders, world.url]
    assert aud_of(service, service.get_token(resource=[orders, orders])) == orders


@pytest.mark.parametrize("token_format", ["jwt", "opaque"])
def test_a_token_keeps_both_its_audiences(world: World, token_format: str) -> None:
    service = Service.hired(world, token_format=token_format)
    both = [f"{world.url}/orders", world.url]
    token = service.get_token(resource=both)
    assert aud_of(service, token) == both
    if token_format == "jwt":
        assert read_jwt(world, token, "ES256").claims["aud"] == both


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param("https://other.example/orders", id="another server"),
        pytest.param("{url}/customers", id="a path without an API"),
        pytest.param("{url}/orders/", id="a trailing slash"),
        pytest.param("{url}/orders#here", id="a fragment"),
        pytest.param("orders", id="no URL"),
    ],
)
@on_postgresql_alone()
def test_an_unknown_resource_is_an_invalid_target(world: World, resource: str) -> None:
    service = Service.hired(world)
    known = f"{world.url}/orders"
    answer = service.ask_for_token(resource=[known, resource.format(url=world.url)])
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_target"


def test_of_secrets_rotated_again_and_again_two_live(world: World) -> None:
    client, form = world.add_client(scope="orders:read"), {"grant_type": "client_credentials"}
    secrets = [client.client_secret] + [world.rotate_secret(client, revoke_old=False) for _ in range(3)]
    answers = [world.http.post("/oauth/token", data=form, auth=(client.client_id, secret)) for secret in secrets]
    assert [answer.status_code for answer in answers] == [401, 401, 200, 200]
