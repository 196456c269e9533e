"""One table for all dialects: how far a token reaches, wherever it was got, and that it never reaches another store.

A dialect that is gone takes its rows and columns with it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import httpx
import pytest

from authsrv.identity.api_keys import NewApiKey, create_api_key
from authsrv.kit.entropy import SystemEntropy
from authsrv.routes import DIALECTS
from authsrv.storage.stores import Store
from authsrv.storage.unit import Unit
from tests.actors import Service
from tests.people import App, Person
from tests.support.databases import migrate_with_keys
from tests.support.world import World

HERE = {dialect.__name__.rpartition(".")[2] for dialect in DIALECTS}  # type: ignore[attr-defined]  # they are modules
REFUSED = {401, 403}


@dataclass(frozen=True)
class Call:
    """A request that a token may or may not make."""

    dialect: str
    method: str
    path: str
    body: dict[str, Any] | None = None


PRODUCTS = {"products": [{"code": "C-A100", "quantity": 1}]}
CALLS = {
    "list orders": Call("order_api", "GET", "/orders?customer_id=c1"),
    "place an order": Call("order_api", "POST", "/orders", {}),
    "the account": Call("storefront", "GET", "/api/v2/storefront/account"),
    "the account's orders": Call("storefront", "GET", "/api/v2/storefront/account/orders"),
    "a user's cart": Call("storefront", "GET", "/api/v2/storefront/cart"),
    "Vend's products": Call("vend", "GET", "/api/products"),
    "Vend's users": Call("vend", "GET", "/api/users"),
    "a customer's products": Call("customer_api", "GET", "/api/customer/products?code=C-A100"),
    "a customer's orders": Call("customer_api", "GET", "/api/customer/orders"),
    "a customer's order": Call("customer_api", "POST", "/api/customer/orders", PRODUCTS),
}
STAFF_AT_VENDS = {"Vend's users"}
# Where a token comes from, with which scopes, for whom → what of the above it may do in its own store.
REACH: dict[str, set[str]] = {
    "vend, products:read": {"Vend's products"} | STAFF_AT_VENDS,
    "vend, orders:read": {"list orders", "the account's orders"} | STAFF_AT_VENDS,
    "an app of a customer, orders:read": {"list orders", "the account's orders"},
    "an app of a customer, orders:write": {"place an order"},
    "an app of a customer, account:read": {"the account"},
    "an app of a customer, cart": {"a user's cart"},
    "an app of a customer, products:read": {"Vend's products"},
    "an app of who works there, openid": STAFF_AT_VENDS,
    "an app of an allowed customer, products:read": {"Vend's products", "a customer's products"},
    "a service, orders:read": {"list orders"},
    "a service, products:read": {"Vend's products"},
    "an API key, orders:write": {"place an order"},
    "storefront": {"the account", "the account's orders", "a user's cart", "list orders", "Vend's products"},
    "customer_api": {
        "the account's orders",
        "a customer's products",
        "a customer's orders",
        "a customer's order",
        "list orders",
        "place an order",
        "Vend's products",
    },
}
ROWS = [row for row in REACH if row.partition(",")[0] in HERE or row.startswith(("an ", "a "))]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Who may do what is told by no database, so one engine is enough."""
    url = f"sqlite:///{tmp_path_factory.mktemp('reach') / 'authsrv.db'}"
    migrate_with_keys(url)
    own: dict[str, Any] = {
        "mail_url": "outbox:",
        "customer_api": {"allow_http": True},
        "database": {"timeout_seconds": 20.0},
    }
    world = World(url, **own)
    yield world
    world.close()


def of_app(world: World, store: Store, scope: str, role: str, *, allowed: bool = False) -> str:
    person = Person.signed_in(world, stores=(store.prefix,), role=role)
    if allowed:
        customers = import_module("authsrv.identity.customer_api")
        world.transact(
            lambda unit: customers.allow_customer(
                unit, customers.get_customer(unit, person.email, store.prefix), actor="test"
            )
        )
    app = App.registered(world, scope=scope)
    token: str = app.log_in(person, scope=scope)["access_token"]
    return token


def of_vend(world: World, store: Store, scope: str) -> str:
    tills = import_module("tests.dialects.vend.tills")
    till = tills.Till.registered(world, scope=scope)
    token: str = till.connect(tills.retailer_of(world, store.prefix), store.prefix)["access_token"]
    return token


def of_storefront(world: World, store: Store) -> str:
    shopper = import_module("tests.dialects.storefront.shopper").Shop(world, store).sign_in()
    token: str = shopper.tokens["access_token"]
    return token


def of_customer_api(world: World, store: Store) -> str:
    shopper = import_module("tests.dialects.customer_api.shopper").Shopper.allowed(world, prefix=store.prefix)
    token: str = shopper.get_token()
    return token


def token_of(row: str, world: World, store: Store) -> str:
    origin, _, scope = row.partition(", ")
    makers: dict[str, Callable[[], str]] = {
        "vend": lambda: of_vend(world, store, scope),
        "storefront": lambda: of_storefront(world, store),
        "customer_api": lambda: of_customer_api(world, store),
        "an app of a customer": lambda: of_app(world, store, scope, "customer"),
        "an app of who works there": lambda: of_app(world, store, scope, "staff"),
        "an app of an allowed customer": lambda: of_app(world, store, scope, "customer", allowed=True),
        "a service": lambda: Service.hired(world, scope=scope, store=store.prefix).get_token(),
        "an API key": lambda: key_of(world, store, scope),
    }
    return makers[origin]()


def key_of(world: World, store: Store, scope: str) -> str:
    new = NewApiKey("A key", "dev@example.com", store.prefix, scope)
    scopes = world.runtime.server.scopes
    allowed = scopes.for_services(scopes.names)

    def work(unit: Unit) -> str:
        return create_api_key(unit, new, allowed_scopes=allowed, entropy=SystemEntropy(), actor="test")[1]

    return world.transact(work)


def reached(world: World, prefix: str, token: str) -> set[str]:
    """What is not refused to the token; a fault in the request itself is found only behind the guard."""
    calls = {name: call for name, call in CALLS.items() if call.dialect in HERE}
    return {name for name, call in calls.items() if is_let_in(ask(world, prefix, token, call))}


def ask(world: World, prefix: str, token: str, call: Call) -> httpx.Response:
    body: dict[str, Any] = {} if call.body is None else {"json": call.body}
    headers = {"Authorization": f"Bearer {token}"}
    return world.http.request(call.method, f"/stores/{prefix}{call.path}", headers=headers, **body)


def is_let_in(answer: httpx.Response) -> bool:
    assert answer.status_code < 500, answer.text
    return answer.status_code not in REFUSED


@pytest.mark.parametrize("row", ROWS)
def test_a_token_reaches_so_far_and_nowhere_in_another_store(world: World, row: str) -> None:
    store, other = world.add_store(), world.add_store()
    token = token_of(row, world, store)
    there = {name for name, call in CALLS.items() if call.dialect in HERE}
    assert reached(world, store.prefix, token) == REACH[row] & there
    assert reached(world, other.prefix, token) == set()
