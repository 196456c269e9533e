"""The life of an order: each pair of statuses, and changes that come at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from itertools import product

import httpx
import pytest
from sqlalchemy import text

from authsrv.storage.unit import Unit
from tests.actors import ADDRESS, Service, order_of
from tests.support.plain_http import NO_TLS
from tests.support.world import World

WAYS = {
    "pending": (),
    "processing": ("processing",),
    "shipped": ("processing", "shipped"),
    "delivered": ("processing", "shipped", "delivered"),
    "cancelled": ("cancelled",),
}
# INTERFACES, 4: pending → processing → shipped → delivered, and to cancelled from pending or processing.
LEGAL = {
    *{("pending", "processing"), ("processing", "shipped"), ("shipped", "delivered")},
    *{("pending", "cancelled"), ("processing", "cancelled")},
}
ELSEWHERE = {**ADDRESS, "street": "7 Harbour Rd"}


def change(service: Service, order_id: str, **body: object) -> httpx.Response:
    return service.world.http.put(f"/orders/{order_id}", json=body, headers=service.bearer)


def cancel(service: Service, order_id: str) -> httpx.Response:
    return service.world.http.delete(f"/orders/{order_id}", headers=service.bearer)


def order_that_is(service: Service, status: str) -> str:
    order_id: str = service.place(order_of(("A100", 3))).json()["order_id"]
    for step in WAYS[status]:
        assert change(service, order_id, status=step).status_code == 200
    return order_id


def left_of(world: World, service: Service, product_id: str = "A100") -> int:
    def work(unit: Unit) -> int:
        query = "SELECT stock FROM product JOIN store ON store.id = store_id WHERE prefix = :p AND product_id = :q"
        found = unit.session.connection().execute(text(query), {"p": service.store, "q": product_id})
        return int(found.scalar_one())

    return world.transact(work)


@pytest.mark.parametrize(("now", "then"), list(product(WAYS, WAYS)))
def test_only_legal_moves_are_made(sqlite_world: World, now: str, then: str) -> None:
    service = Service.hired(sqlite_world)
    order_id = order_that_is(service, now)
    answer = change(service, order_id, status=then)
    if (now, then) in LEGAL or now == then:
        assert answer.status_code == 200, answer.text
        assert answer.json()["status"] == then
    else:
        assert answer.status_code == 409
        assert answer.json()["error"]["code"] == "invalid_transition"
        assert now in answer.json()["error"]["message"]
        then = now
    assert service.read(order_id).json()["status"] == then


@pytest.mark.parametrize("now", WAYS)
def test_an_order_is_cancelled_until_it_is_shipped_and_then_its_products_are_back(
    sqlite_world: World, now: str
) -> None:
    service = Service.hired(sqlite_world)
    order_id = order_that_is(service, now)
    answer = cancel(service, order_id)
    may = (now, "cancelled") in LEGAL
    assert answer.status_code == (200 if may else 409)
    assert left_of(sqlite_world, service) == (1000 if may or now == "cancelled" else 997)


@pytest.mark.parametrize("now", WAYS)
def test_an_address_changes_until_the_order_is_shipped(sqlite_world: World, now: str) -> None:
    service = Service.hired(sqlite_world)
    order_id = order_that_is(service, now)
    answer = change(service, order_id, shipping_address=ELSEWHERE)
    may = now in {"pending", "processing"}
    assert answer.status_code == (200 if may else 409)
    assert service.read(order_id).json()["shipping_address"] == (ELSEWHERE if may else ADDRESS)


def test_a_change_that_is_refused_changes_nothing_of_it(world: World) -> None:
    service = Service.hired(world)
    order_id = order_that_is(service, "pending")
    assert change(service, order_id, status="delivered", shipping_address=ELSEWHERE).status_code == 409
    assert service.read(order_id).json()["shipping_address"] == ADDRESS


def test_an_address_and_a_status_that_come_at_once_are_both_kept(world: World) -> None:
    service = Service.hired(world)
    orders = [order_that_is(service, "pending") for _ in range(8)]
    wanted = [
        (order_id, body) for order_id in orders for body in ({"status": "processing"}, {"shipping_address": ELSEWHERE})
    ]

    def send(each: tuple[str, dict[str, object]]) -> int:
        with httpx.Client(verify=NO_TLS, base_url=world.url, timeout=20) as caller:
            return caller.put(f"/orders/{each[0]}", json=each[1], headers=service.bearer).status_code

    with ThreadPoolExecutor(16) as crowd:
        assert set(crowd.map(send, wanted)) == {200}
    for order_id in orders:
        order = service.read(order_id).json()
        assert (order["status"], order["shipping_address"]) == ("processing", ELSEWHERE)


def test_twenty_who_cancel_at_once_put_the_products_back_once(world: World) -> None:
    service = Service.hired(world)
    order_id = order_that_is(service, "pending")
    headers = service.bearer

    def send(number: int) -> int:
        with httpx.Client(verify=NO_TLS, base_url=world.url, timeout=20) as caller:
            if number % 2:
                return caller.delete(f"/orders/{order_id}", headers=headers).status_code
            body = {"status": "cancelled"}
            return caller.put(f"/orders/{order_id}", json=body, headers=headers).status_code

    with ThreadPoolExecutor(20) as crowd:
        answers = list(crowd.map(send, range(20)))
    # A PUT to the status it has is no move; a DELETE of what is cancelled is one that cannot be.
    assert answers.count(200) >= 1
    assert set(answers) <= {200, 409}
    assert sum(1 for number, answer in enumerate(answers) if number % 2 and answer == 200) <= 1
    assert left_of(world, service) == 1000
