"""Vend's part of the map, pinned; and on which hosts it stands."""

import pytest

from authsrv.dialects import vend
from tests.dialects.vend.tills import Till, at, retailer_of
from tests.support.world import World

MAP = {
    "/api/1.0/token": "POST",
    "/api/products": "GET",
    "/api/products/{product_id}": "GET",
    "/api/users": "GET",
    "/connect": "GET",
}
ON_STORES = MAP.keys() - {"/connect"}


def test_its_part_of_the_map_is_this() -> None:
    assert {door.path: " ".join(sorted(door.handlers)) for door in vend.DOORS} == MAP


def test_the_api_stands_on_the_hosts_of_stores_and_is_open_to_scripts() -> None:
    assert {door.path for door in vend.DOORS if door.at_stores} == ON_STORES
    assert {door.path for door in vend.DOORS if door.cors} == ON_STORES


@pytest.mark.parametrize("path", ["/api/products", "/api/products/A100", "/api/users"])
def test_on_the_central_host_there_is_no_api(world: World, path: str) -> None:
    store = world.add_store().prefix
    till = Till.registered(world)
    token = till.connect(retailer_of(world, store), store)["access_token"]
    answer = world.http.get(path, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


def test_on_the_central_host_and_in_a_store_that_is_not_there_are_no_tokens(world: World) -> None:
    store = world.add_store().prefix
    till = Till.registered(world)
    code = retailer_of(world, store).allow(till.connect_url())["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": "https://till.example/vend/callback"}
    own = {"client_id": till.credentials.client_id, "client_secret": till.credentials.client_secret}
    assert world.http.post("/api/1.0/token", data={**form, **own}).status_code == 404
    assert till.redeem("nobody", code).status_code == 404
    # Neither used it up.
    assert till.redeem(store, code).status_code == 200


@pytest.mark.parametrize("named_by", ["host", "path"])
def test_on_a_stores_host_no_app_is_connected(world: World, named_by: str) -> None:
    store = world.add_store().prefix
    url, headers = Till.registered(world).connect_url(), at(store)
    answer = world.http.get(url, headers=headers) if named_by == "host" else world.http.get(f"/stores/{store}{url}")
    assert answer.status_code == 404


def test_a_store_can_be_named_by_the_path_too(world: World) -> None:
    store = world.add_store().prefix
    till = Till.registered(world)
    answer = retailer_of(world, store).allow(till.connect_url())
    own = {"client_id": till.credentials.client_id, "client_secret": till.credentials.client_secret}
    form = {
        "grant_type": "authorization_code",
        "code": answer["code"],
        "redirect_uri": "https://till.example/vend/callback",
    }
    answered = world.http.post(f"/stores/{store}/api/1.0/token", data={**form, **own})
    assert answered.status_code == 200
    bearer = {"Authorization": f"Bearer {answered.json()['access_token']}"}
    assert world.http.get(f"/stores/{store}/api/users", headers=bearer).status_code == 200
