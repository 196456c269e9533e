"""The Order API's part of the map, pinned."""

from authsrv.dialects import order_api

MAP = {
    "/docs": "GET",
    "/openapi.json": "GET",
    "/orders": "GET POST",
    "/orders/{order_id}": "DELETE GET PUT",
}


def test_its_part_of_the_map_is_this() -> None:
    assert {door.path: " ".join(sorted(door.handlers)) for door in order_api.DOORS} == MAP


def test_scripts_of_other_origins_reach_all_but_the_page() -> None:
    assert {door.path for door in order_api.DOORS if door.cors} == MAP.keys() - {"/docs"}


def test_all_of_it_stands_on_the_hosts_of_stores() -> None:
    assert all(door.at_stores for door in order_api.DOORS)
