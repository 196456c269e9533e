"""Listings: each filter goes by an index, the total too, and links lead on from where they were met."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import event, insert

from authsrv.storage.orders import Order
from authsrv.storage.stores import Store
from authsrv.storage.unit import Unit
from tests.actors import ADDRESS, Service
from tests.support.plain_http import NO_TLS
from tests.support.world import World

STATUSES = ("pending", "processing", "shipped", "delivered", "cancelled")
CUSTOMERS = 10
# An eighth of the table: reading it from end to end would cost more than any index.
ORDERS = 1000
ORDERS_BESIDE = 7000
FILTERS: dict[str, dict[str, str | int]] = {
    "nothing": {},
    "a customer": {"customer_id": "7"},
    "a status": {"status": "shipped"},
    "both": {"customer_id": "7", "status": "shipped"},
}

WHERE: dict[str, dict[str, str | int]] = {
    "the first page": {},
    "a page of the newer half": {"page": 2, "limit": 2},
    "a page of the older half": {"page": 7, "limit": 2},
    "a link": {"after": "deep"},
}


def fill(world: World, store: Store, count: int) -> None:
    """So many orders, of all customers and statuses in turn, and the planner told of them."""

    def work(unit: Unit) -> None:
        now = unit.now()
        same = {"store_id": store.id, "currency": "USD", "total_minor": 100, "shipping_address": ADDRESS}
        rows = [
            {
                **same,
                "id": unit.new_id(),
                "customer_id": str(number % CUSTOMERS),
                "status": STATUSES[number // CUSTOMERS % len(STATUSES)],
                "payment_method": "paypal",
                "placed_by": "a test",
                "created_at": now,
                "updated_at": now,
            }
            for number in range(count)
        ]
        unit.session.execute(insert(Order), rows)

    world.transact(work)

    async def analyze() -> None:
        async with world.database.engine.begin() as connection:
            await connection.exec_driver_sql("ANALYZE")

    asyncio.run_coroutine_threadsafe(analyze(), world._loop).result(60)  # noqa: SLF001 - the loop its engine lives on


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def full(request: pytest.FixtureRequest) -> Service:
    """A service whose store has a thousand orders, beside one that has many more."""
    world: World = request.getfixturevalue(f"{request.param}_world")
    store, other = world.add_store(), world.add_store()
    fill(world, other, ORDERS_BESIDE)
    fill(world, store, ORDERS)
    return Service.hired(world, store=store.prefix)


@contextmanager
def asked(world: World) -> Iterator[list[tuple[str, Any]]]:
    """The statements on orders meanwhile, with their values."""
    statements: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if 'FROM "order"' in statement:
            statements.append((statement, values))

    engine = world.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def plan_of(world: World, statement: str, values: Any) -> str:
    explain = "EXPLAIN QUERY PLAN" if world.database.is_sqlite else "EXPLAIN"

    def work(unit: Unit) -> str:
        found = unit.session.connection().exec_driver_sql(f"{explain} {statement}", values)
        return "\n".join(str(row[-1]) for row in found)

    return world.transact(work)


@pytest.mark.parametrize("where", WHERE.values(), ids=WHERE.keys())
@pytest.mark.parametrize("chosen", FILTERS.values(), ids=FILTERS.keys())
def test_every_filter_goes_by_an_index_and_so_does_the_total(
    full: Service, chosen: dict[str, str | int], where: dict[str, str | int]
) -> None:
    query = {**chosen, **where}
    if "after" in query:
        query["after"] = full.list(limit=100, page=5).json()[0]["order_id"]
    with asked(full.world) as statements:
        assert full.list(**query).status_code == 200
    assert len(statements) == 2
    for statement, values in statements:
        plan = plan_of(full.world, statement, values)
        assert "Seq Scan" not in plan, plan
        assert "SCAN order" not in plan.replace('"', ""), plan
        named = "".join(f"{name}_" for name in ("customer_id", "status") if name in chosen)
        assert re.search(rf"ix_order_store_id_{named}(status_)?id\b", plan), plan


def test_each_order_is_met_once_in_either_way_of_paging(full: Service) -> None:
    first = full.list(limit=100, status="pending")
    total = int(first.headers["x-total-count"])
    assert total == ORDERS / len(STATUSES)
    linked = [order["order_id"] for order in first.json()]
    answer = first
    while "next" in answer.links:
        answer = httpx.get(answer.links["next"]["url"], headers=full.bearer, timeout=20, verify=NO_TLS)
        assert int(answer.headers["x-total-count"]) == total
        linked += [order["order_id"] for order in answer.json()]
    paged = [
        order["order_id"] for page in range(1, 4) for order in full.list(limit=100, page=page, status="pending").json()
    ]
    assert linked == paged
    assert len(set(linked)) == total
    assert linked == sorted(linked, reverse=True)


def test_orders_that_arrive_at_once_are_neither_skipped_nor_repeated(world: World) -> None:
    store = world.add_store()
    fill(world, store, 300)
    service = Service.hired(world, store=store.prefix)
    answer = service.list(limit=40)
    there = int(answer.headers["x-total-count"])
    seen = [order["order_id"] for order in answer.json()]
    while "next" in answer.links:
        for _ in range(3):
            assert service.place().status_code == 201
        answer = httpx.get(answer.links["next"]["url"], headers=service.bearer, timeout=20, verify=NO_TLS)
        seen += [order["order_id"] for order in answer.json()]
    assert len(seen) == len(set(seen)) == there


def test_a_link_stays_where_the_request_came_from(sqlite_world: World) -> None:
    store = sqlite_world.add_store()
    fill(sqlite_world, store, 3)
    service = Service.hired(sqlite_world, store=store.prefix)
    path = f"/stores/{store.prefix}/orders"
    query = {"limit": "2", "status": "pending", "customer_id": "1"}
    fill(sqlite_world, store, 300)
    within = sqlite_world.http.get(path, params=query, headers=service.bearer).links["next"]["url"]
    assert within.startswith(f"{sqlite_world.url}{path}?")
    kept = {name: values[0] for name, values in parse_qs(urlsplit(within).query).items()}
    assert {name: kept[name] for name in query} == query
    plain = sqlite_world.http.get("/orders", params=query, headers=service.bearer).links["next"]["url"]
    assert plain.startswith(f"{sqlite_world.url}/orders?")


def test_a_page_beyond_the_last_is_empty_and_still_tells_the_total(full: Service) -> None:
    answer = full.list(page=100_000, limit=100)
    assert answer.json() == []
    assert answer.headers["x-total-count"] == str(ORDERS)
    assert "link" not in answer.headers
