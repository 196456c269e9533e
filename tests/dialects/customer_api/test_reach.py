"""One person, one token, many doors: what a Customer API token opens elsewhere, and what opens the Customer API."""

from base64 import urlsafe_b64decode

import orjson
import pytest

from authsrv.storage.stores import find_store
from authsrv.storage.unit import Unit
from authsrv.storage.users import STAFF_ROLES, find_membership
from tests.actors import ADDRESS, Service, order_of
from tests.dialects.customer_api.shopper import Shopper
from tests.people import App, Person
from tests.support.world import World

UNAUTHORIZED, FORBIDDEN = 401, 403


def own_order(**changes: object) -> dict[str, object]:
    return {name: value for name, value in order_of(("A100", 1), **changes).items() if name != "customer_id"}


def test_the_order_api_takes_it_for_the_customer_themselves(shopper: Shopper) -> None:
    http, other = shopper.world.http, Shopper.allowed(shopper.world, prefix=shopper.prefix)
    placed = http.post("/orders", json=own_order(), headers=shopper.bearer)
    assert placed.status_code == 201
    listed = shopper.list().json()
    assert [order["order_id"] for order in listed] == [placed.json()["order_id"]]
    assert listed[0]["payment_status"] == "pending"
    path = f"/orders/{placed.json()['order_id']}"
    assert http.get(path, headers=shopper.bearer).json()["customer_id"] == str(shopper.person.user_id)
    assert http.get(path, headers=other.bearer).status_code == 404
    assert http.get("/orders", headers=other.bearer).json() == []


def test_the_order_api_opens_no_further_than_its_scope(shopper: Shopper) -> None:
    """Beyond its scopes on another dialect it is worth nothing."""
    reading = {"Authorization": f"Bearer {shopper.get_token(scope='orders:read')}"}
    http = shopper.world.http
    assert http.get("/orders", headers=reading).status_code == 200
    assert http.post("/orders", json=own_order(), headers=reading).status_code == FORBIDDEN
    products = {"Authorization": f"Bearer {shopper.get_token(scope='products:read')}"}
    assert http.get("/orders", headers=products).status_code == FORBIDDEN


def test_no_other_store_opens_to_it(shopper: Shopper) -> None:
    elsewhere = shopper.world.add_store().prefix
    answer = shopper.world.http.get(f"/stores/{elsewhere}/orders", headers=shopper.bearer)
    assert answer.status_code == FORBIDDEN


def test_it_says_nothing_of_the_person(shopper: Shopper) -> None:
    """userinfo needs `openid`, which a password never has."""
    assert shopper.world.http.get("/oauth/userinfo", headers=shopper.bearer).status_code == FORBIDDEN


def test_it_is_introspected_and_revoked_where_every_token_is(shopper: Shopper) -> None:
    http, token = shopper.world.http, shopper.get_token()
    pair = (shopper.pair["client_id"], shopper.pair["client_secret"])

    def introspect() -> dict[str, object]:
        described: dict[str, object] = http.post("/oauth/introspect", data={"token": token}, auth=pair).json()
        return described

    claims = orjson.loads(urlsafe_b64decode(token.split(".")[1] + "=="))
    described = introspect()
    assert described["active"] is True
    for name in ("jti", "iat", "exp", "sub"):
        assert described[name] == claims[name]
    assert described["scope"] == " ".join(claims["scopes"])
    assert (described["client_id"], described["store"]) == (pair[0], shopper.prefix)
    assert http.post("/oauth/revoke", data={"token": token}, auth=pair).status_code == 200
    assert introspect() == {"active": False}
    assert http.get("/orders", headers={"Authorization": f"Bearer {token}"}).status_code == UNAUTHORIZED


def test_nobody_else_introspects_or_revokes_it(shopper: Shopper) -> None:
    stranger, token = Service.hired(shopper.world, store=shopper.prefix), shopper.get_token()
    assert stranger.introspect(token) == {"active": False}
    assert stranger.revoke(token).status_code == 400
    assert shopper.call("GET", "/orders", token=token).status_code == 200


def test_a_resource_server_sees_it_with_its_store(shopper: Shopper) -> None:
    server = Service.hired(shopper.world, store=None, is_resource_server=True)
    assert server.introspect(shopper.get_token())["store"] == shopper.prefix
    withdrawn = shopper.get_token()
    shopper.withdraw()
    assert server.introspect(withdrawn) == {"active": False}


def test_the_standard_token_endpoint_takes_the_pair_too(shopper: Shopper) -> None:
    form = {"grant_type": "client_credentials"}
    pair = (shopper.pair["client_id"], shopper.pair["client_secret"])
    granted = shopper.world.http.post("/oauth/token", data=form, auth=pair).json()
    assert granted["scope"] == "orders:read orders:write products:read"
    assert shopper.call("GET", "/orders", token=granted["access_token"]).status_code == 200
    coded = {"grant_type": "authorization_code", "code": "ac_x"}
    refused = shopper.world.http.post("/oauth/token", data=coded, auth=pair)
    assert refused.json()["error"] in {"unauthorized_client", "invalid_grant"}


def test_a_token_for_another_resource_does_not_open_it(shopper: Shopper) -> None:
    token = shopper.get_token(resource=f"{shopper.world.url}/orders")
    assert shopper.call("GET", "/orders", token=token).status_code == 400
    headers = {"Authorization": f"Bearer {token}"}
    assert shopper.world.http.get("/orders", headers=headers).status_code == 200


def log_in(world: World, person: Person, prefix: str, scope: str) -> str:
    token: str = App.registered(world, store=prefix, scope=scope).log_in(person, scope=scope)["access_token"]
    return token


def test_an_app_that_logged_the_customer_in_uses_the_api_for_them(shopper: Shopper) -> None:
    """Sentence 5, and 18: the store has to allow this customer all the same."""
    token = log_in(shopper.world, shopper.person, shopper.prefix, "openid orders:read orders:write products:read")
    wanted = {"products": [{"code": "C-A100", "quantity": 1}]}
    order = shopper.call("POST", "/orders", token=token, json=wanted)
    assert order.status_code == 201
    assert shopper.list().json() == [order.json()]
    assert shopper.call("GET", "/products?code=C-A100", token=token).status_code == 200
    shopper.withdraw()
    refused = shopper.call("GET", "/orders", token=token)
    assert (refused.status_code, refused.json()["error"]) == (FORBIDDEN, "forbidden")


def test_who_was_never_allowed_is_told_so(shopper: Shopper) -> None:
    """Sentence 18: each customer."""
    person = Person.signed_in(shopper.world, stores=(shopper.prefix,))
    token = log_in(shopper.world, person, shopper.prefix, "openid orders:read")
    refused = shopper.call("GET", "/orders", token=token)
    assert (refused.status_code, refused.json()["error"]) == (FORBIDDEN, "forbidden")


def test_an_order_of_an_app_is_the_customers_here(shopper: Shopper) -> None:
    token = log_in(shopper.world, shopper.person, shopper.prefix, "openid orders:write")
    body = own_order(shipping_address=ADDRESS)
    headers = {"Authorization": f"Bearer {token}"}
    placed = shopper.world.http.post("/orders", json=body, headers=headers).json()
    assert [order["order_id"] for order in shopper.list().json()] == [placed["order_id"]]


@pytest.mark.parametrize("role", STAFF_ROLES)
def test_staff_act_for_the_shop_in_the_order_api_alone(shopper: Shopper, role: str) -> None:
    staff = Shopper.allowed(shopper.world, prefix=shopper.prefix, role=role)
    shopper.order(("C-A100", 1))
    assert staff.list().json() == []
    assert len(staff.world.http.get("/orders", headers=staff.bearer).json()) == 1


def test_a_customer_who_left_the_store_is_not_allowed(shopper: Shopper) -> None:
    assert shopper.list().status_code == 200

    def leave(unit: Unit) -> None:
        store = find_store(unit, shopper.prefix)
        assert store is not None
        membership = find_membership(unit, store_id=store.id, user_id=shopper.person.user_id)
        unit.session.delete(membership)

    shopper.world.transact(leave)
    assert shopper.list().status_code == FORBIDDEN
