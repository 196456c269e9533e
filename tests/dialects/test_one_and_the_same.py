"""One person, one order, one grant, through whichever dialect they are seen.

Each dialect is asked for by name, so one that is gone takes its stories with it.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from authsrv.routes import DIALECTS
from tests.actors import Service
from tests.support.databases import migrate_with_keys
from tests.support.world import World

HERE = {dialect.__name__.rpartition(".")[2] for dialect in DIALECTS}  # type: ignore[attr-defined]  # they are modules


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    url = f"sqlite:///{tmp_path_factory.mktemp('same') / 'authsrv.db'}"
    migrate_with_keys(url)
    world = World(url, mail_url="outbox:", customer_api={"allow_http": True}, database={"timeout_seconds": 20.0})
    yield world
    world.close()


if {"storefront", "customer_api"} <= HERE:

    def test_a_customers_orders_are_the_same_in_the_shop_in_their_program_and_in_the_order_api(world: World) -> None:
        store = world.add_store()
        program = import_module("tests.dialects.customer_api.shopper").Shopper.allowed(world, prefix=store.prefix)
        shop = import_module("tests.dialects.storefront.shopper").Shop(world, store)
        shopper = shop.sign_in(program.person.email)
        by_cart = shopper.cart().ordered()["id"]
        sent = {"products": [{"code": "C-B200", "quantity": 2}], "note": "Ring twice."}
        by_program = program.call("POST", "/orders", json=sent).json()["order_id"]
        both = {by_cart, by_program}
        assert {order["order_id"] for order in program.call("GET", "/orders").json()} == both
        in_shop: dict[str, Any] = {order["id"]: order for order in shopper.ask("GET", "/account/orders").json()["data"]}
        assert in_shop.keys() == both
        service = Service.hired(world, store=store.prefix)
        assert {order["order_id"] for order in service.list(customer_id=str(shopper.user.id)).json()} == both
        # What came on account has neither an address nor a payment that could be known.
        told = in_shop[by_program]
        assert told["relationships"]["shipping_address"]["data"] is None
        assert (told["attributes"]["total"], told["attributes"]["payment_state"]) == ("37.0", "balance_due")
        assert told["attributes"]["special_instructions"] == "Ring twice."

    def test_a_persons_own_price_is_the_same_everywhere(world: World) -> None:
        store = world.add_store()
        program = import_module("tests.dialects.customer_api.shopper").Shopper.allowed(world, prefix=store.prefix)
        shop = import_module("tests.dialects.storefront.shopper").Shop(world, store)
        shopper = shop.sign_in(program.person.email)
        shop.set_price(shopper.email, "A100", 1111)
        (seen,) = program.call("GET", "/products?code=C-A100").json()
        in_shop = shopper.ask("GET", "/products/A100").json()["data"]["attributes"]["price"]
        assert (float(seen["price"]), in_shop) == (11.11, "11.11")
