"""Two servers on one database sell what there is, and no more; and of a cart they make one order."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.dialects.storefront.shopper import Cart, Shop
from tests.support.databases import migrate_with_keys
from tests.support.world import World

PIECES = 7


@pytest.fixture
def shops(empty_url: str) -> Iterator[tuple[Shop, Shop]]:
    """One shop, as two servers see it."""
    migrate_with_keys(empty_url)
    patient = {"timeout_seconds": 20.0}
    one = World(empty_url, mail_url="outbox:", database=patient)
    two = World(empty_url, mail_url="outbox:", database=patient, issuer=one.url)
    shop = Shop.opened(one)
    yield shop, Shop(two, shop.store)
    two.close()
    one.close()


def filled(shop: Shop, variant_id: str) -> Cart:
    cart = shop.guest()
    assert cart.add(variant_id).status_code == 200
    cart.check_out()
    return cart


def test_the_last_pieces_are_sold_once_and_one_cart_is_one_order(shops: tuple[Shop, Shop]) -> None:
    one, two = shops
    one.add_product("LAST", 500, PIECES)
    carts = [filled(shops[at % 2], "LAST") for at in range(PIECES + 3)]
    twice = filled(one, "A100")
    # Each of the racing carts at its server, and one cart at both, again and again.
    same = [twice, replace(twice, shop=two)] * 3
    with ThreadPoolExecutor(16) as pool:
        sold = pool.map(lambda cart: cart.complete().status_code, carts)
        placed = pool.map(lambda cart: cart.complete().status_code, same)
        assert sorted(sold) == [200] * PIECES + [422] * 3
        assert sorted(placed) == [200] + [404] * 5
    assert (one.stock("LAST"), one.stock("A100")) == (0, 999)
