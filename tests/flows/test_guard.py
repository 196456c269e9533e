"""Who may call the API: bearer tokens in the header, for this API, this store and this scope (RFC 6750, 9068, 9728)."""

import re
from collections.abc import Callable

import httpx
import orjson
import pytest
from joserfc import jws

from authsrv.kit.signing import generate_key
from tests.actors import ORDER, Service, bearer
from tests.engines import on_postgresql_alone
from tests.support.plain_http import NO_TLS
from tests.support.world import World


def test_without_a_token_the_answer_says_where_to_get_one(world: World) -> None:
    answer = world.http.get("/orders")
    assert answer.status_code == 401
    assert answer.json() == {"error": {"code": "unauthorized", "message": "An access token is needed."}}
    # RFC 6750, 3.1: no error code for somebody who sent nothing.
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith("Bearer ")
    assert "error=" not in challenge
    named = re.search(r'resource_metadata="([^"]+)"', challenge)
    assert named is not None
    document = httpx.get(named[1], verify=NO_TLS).json()
    assert document["resource"] == f"{world.url}/orders"
    assert document["authorization_servers"] == [world.url]


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("Bearer", id="no token"),
        pytest.param("Basic YTpi", id="Basic"),
        pytest.param("{token}", id="no scheme"),
        pytest.param("Token {token}", id="another scheme"),
    ],
)
@on_postgresql_alone()
def test_what_is_no_bearer_header_counts_as_no_token(world: World, header: str) -> None:
    token = Service.hired(world).get_token()
    answer = world.http.get("/orders", headers={"Authorization": header.format(token=token)})
    assert answer.status_code == 401
    assert "error=" not in answer.headers["www-authenticate"]


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(world: World, scheme: str) -> None:
    token = Service.hired(world).get_token()
    assert world.http.get("/orders", headers={"Authorization": f"{scheme} {token}"}).status_code == 200


def test_a_token_in_the_query_opens_nothing(world: World) -> None:
    token = Service.hired(world).get_token()
    assert world.http.get("/orders", params={"access_token": token}).status_code == 401


def test_a_token_in_the_body_opens_nothing(world: World) -> None:
    token = Service.hired(world).get_token()
    assert world.http.post("/orders", data={"access_token": token}).status_code == 401
    assert world.http.post("/orders", json={**ORDER, "access_token": token}).status_code == 401


def test_two_authorization_headers_open_nothing(world: World) -> None:
    header = ("Authorization", f"Bearer {Service.hired(world).get_token()}")
    assert world.http.get("/orders", headers=httpx.Headers([header, header])).status_code == 401


def claims_for(world: World, service: Service) -> dict[str, object]:
    told = service.introspect(service.get_token())
    return {name: told[name] for name in ("iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope", "store")}


def signed(world: World, service: Service, *, typ: str = "at+jwt", **changes: object) -> str:
    """A token of the service, changed and then signed with the server's own key."""
    signer = world.runtime.keyring.signing("ES256").signer
    return signer.sign({**claims_for(world, service), **changes}, typ)


def signed_by_a_thief(world: World, service: Service, *, as_ours: bool) -> str:
    """The service's token, signed with another key, perhaps under the name of ours."""
    key = generate_key("ES256")
    kid = world.runtime.keyring.signing("ES256").kid if as_ours else key.kid
    header = {"alg": "ES256", "typ": "at+jwt", "kid": kid}
    return jws.serialize_compact(header, orjson.dumps(claims_for(world, service)), key, algorithms=["ES256"])


FORGERIES: dict[str, Callable[[World, Service], str]] = {
    "a key of the thief's own": lambda world, service: signed_by_a_thief(world, service, as_ours=False),
    "a key of the thief's own under the name of ours": lambda world, service: signed_by_a_thief(
        world, service, as_ours=True
    ),
    "the type of an ID token": lambda world, service: signed(world, service, typ="JWT"),
    "another issuer": lambda world, service: signed(world, service, iss="https://other.example"),
    "a jti that carries no time": lambda world, service: signed(
        world, service, jti="6f9619ff-8b86-4011-b42d-00cf4fc964ff"
    ),
    "an end long ago": lambda world, service: signed(world, service, exp=1),
    "another audience": lambda world, service: signed(world, service, aud=f"{world.url}/elsewhere"),
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
@on_postgresql_alone()
def test_a_forged_token_opens_nothing(world: World, forge: Callable[[World, Service], str]) -> None:
    service = Service.hired(world)
    answer = world.http.get("/orders", headers=bearer(forge(world, service)))
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthorized"
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_a_token_for_this_api_or_for_the_whole_server_opens_it(world: World) -> None:
    service = Service.hired(world)
    for resource in (f"{world.url}/orders", world.url):
        token = service.get_token(resource=resource)
        assert world.http.get("/orders", headers=bearer(token)).status_code == 200


@pytest.mark.parametrize(("has", "needs"), [("orders:read", "orders:write"), ("orders:write", "orders:read")])
def test_a_missing_scope_is_named_in_the_challenge(world: World, has: str, needs: str) -> None:
    service = Service.hired(world, scope=has)
    answer = service.place() if needs == "orders:write" else service.list()
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "insufficient_scope"
    challenge = answer.headers["www-authenticate"]
    assert 'error="insufficient_scope"' in challenge
    assert f'scope="{needs}"' in challenge


def test_scope_is_judged_before_the_body(world: World) -> None:
    service = Service.hired(world, scope="orders:read")
    assert service.place_raw(b"nonsense").status_code == 403


def test_a_service_of_no_store_has_no_orders(world: World) -> None:
    assert Service.hired(world, store=None).list().status_code == 403


def test_a_store_is_named_by_path_or_by_host(world: World) -> None:
    service = Service.hired(world)
    order_id = service.place().json()["order_id"]
    port = world.url.rpartition(":")[2]
    hosts = [f"{service.store}.localhost:{port}", f"{service.store}.localhost", f"{service.store}.LOCALHOST"]
    for host in hosts:
        answer = world.http.get(f"/orders/{order_id}", headers={**service.bearer, "Host": host})
        assert answer.status_code == 200
    answer = world.http.get(f"/stores/{service.store}/orders/{order_id}", headers=service.bearer)
    assert answer.status_code == 200
    assert world.http.post(f"/stores/{service.store}/orders", json=ORDER, headers=service.bearer).status_code == 201


def test_another_stores_path_and_host_are_closed(world: World) -> None:
    service, other = Service.hired(world), world.add_store()
    by_path = world.http.get(f"/stores/{other.prefix}/orders", headers=service.bearer)
    by_host = world.http.get("/orders", headers={**service.bearer, "Host": f"{other.prefix}.localhost"})
    unknown = world.http.get("/stores/nowhere/orders", headers=service.bearer)
    assert [answer.status_code for answer in (by_path, by_host, unknown)] == [403, 403, 403]
    assert by_path.json()["error"]["code"] == "insufficient_scope"


def test_the_path_wins_over_the_host(world: World) -> None:
    service, other = Service.hired(world), world.add_store()
    headers = {**service.bearer, "Host": f"{other.prefix}.localhost"}
    assert world.http.get(f"/stores/{service.store}/orders", headers=headers).status_code == 200


def test_another_stores_order_is_as_if_there_were_none(world: World) -> None:
    order_id = Service.hired(world).place().json()["order_id"]
    foreign = Service.hired(world).read(order_id)
    nothing = Service.hired(world).read("0192f0c1-2345-7abc-8def-0123456789ab")
    assert foreign.status_code == nothing.status_code == 404
    assert foreign.content == nothing.content


def test_lists_hold_the_orders_of_the_own_store_alone(world: World) -> None:
    one, other = Service.hired(world), Service.hired(world)
    mine = one.place().json()["order_id"]
    other.place()
    assert [order["order_id"] for order in one.list().json()] == [mine]
