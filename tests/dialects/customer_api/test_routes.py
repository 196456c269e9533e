"""The Customer API's part of the map, pinned."""

from authsrv.dialects import customer_api

MAP = {
    "/api/customer/oauth/access-token": "POST",
    "/api/customer/orders": "GET POST",
    "/api/customer/products": "GET",
}


def test_its_part_of_the_map_is_this() -> None:
    assert {door.path: " ".join(sorted(door.handlers)) for door in customer_api.DOORS} == MAP


def test_scripts_of_other_origins_reach_all_of_it() -> None:
    assert all(door.cors for door in customer_api.DOORS)


def test_all_of_it_stands_on_the_hosts_of_stores() -> None:
    assert all(door.at_stores for door in customer_api.DOORS)
