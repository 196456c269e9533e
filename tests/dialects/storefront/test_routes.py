"""The storefront's part of the map, pinned."""

from authsrv.dialects import storefront

MAP = {
    "/account": "GET PATCH",
    "/account/orders": "GET",
    "/auth": "POST",
    "/auth/{token}": "DELETE",
    "/cart": "DELETE GET POST",
    "/cart/add_item": "POST",
    "/cart/associate": "PATCH",
    "/cart/empty": "PATCH",
    "/cart/remove_line_item/{line_item_id}": "DELETE",
    "/cart/set_quantity": "PATCH",
    "/checkout": "PATCH",
    "/checkout/complete": "PATCH",
    "/products": "GET",
    "/products/{product_id:path}": "GET",
}


def test_its_part_of_the_map_is_this() -> None:
    root = "/api/v2/storefront"
    assert {door.path.removeprefix(root): " ".join(sorted(door.handlers)) for door in storefront.DOORS} == MAP


def test_shops_of_any_origin_reach_all_of_it_on_the_hosts_of_stores() -> None:
    assert all(door.cors and door.at_stores for door in storefront.DOORS)
