"""Idempotency-Key: one order and one answer, however often and however close together it is asked for."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from tests.actors import ORDER, Service, order_of
from tests.flows.test_orders import stock
from tests.support.plain_http import NO_TLS
from tests.support.world import ManualClock, World


def with_key(key: str | None = None) -> dict[str, str]:
    return {"Idempotency-Key": key or uuid4().hex}


def test_the_same_request_again_gets_the_first_answer(world: World) -> None:
    service, key = Service.hired(world), with_key()
    first = service.place(headers=key)
    again = service.place(headers=key)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert service.list().headers["x-total-count"] == "1"


def test_the_first_answer_stays_whatever_became_of_the_order(sqlite_world: World) -> None:
    service, key = Service.hired(sqlite_world), with_key()
    first = service.place(headers=key)
    sqlite_world.http.delete(f"/orders/{first.json()['order_id']}", headers=service.bearer)
    assert service.place(headers=key).json() == first.json()


@pytest.mark.parametrize("crowd", [2, 20])
def test_the_same_request_at_once_is_one_order_and_one_answer(world: World, crowd: int) -> None:
    service, key = Service.hired(world), with_key()
    headers = {**service.bearer, **key}

    def place(_: int) -> tuple[int, str]:
        with httpx.Client(verify=NO_TLS, base_url=world.url, timeout=30) as caller:
            answer = caller.post("/orders", json=ORDER, headers=headers)
            return answer.status_code, answer.text

    with ThreadPoolExecutor(crowd) as callers:
        answers = set(callers.map(place, range(crowd)))
    assert len(answers) == 1
    assert answers.pop()[0] == 201
    assert service.list().headers["x-total-count"] == "1"


def test_another_request_with_the_key_is_422_and_places_nothing(world: World) -> None:
    service, key = Service.hired(world), with_key()
    service.place(headers=key)
    answer = service.place(order_of(("B200", 1)), headers=key)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "idempotency_conflict"
    assert service.list().headers["x-total-count"] == "1"


def test_a_refused_request_leaves_its_key_free(world: World) -> None:
    service, key = Service.hired(world), with_key()
    stock(world, service, "C300", left=0)
    wanted = order_of(("C300", 1))
    assert service.place(wanted, headers=key).status_code == 400
    stock(world, service, "C300", left=1)
    assert service.place(wanted, headers=key).status_code == 201
    assert service.place(order_of(("A100", 1)), headers=key).status_code == 422


def test_a_key_belongs_to_one_credential_in_one_store(sqlite_world: World) -> None:
    key = with_key()
    one = Service.hired(sqlite_world)
    colleague = Service.hired(sqlite_world, store=one.store)
    elsewhere = Service.hired(sqlite_world)
    orders = {each.place(headers=key).json()["order_id"] for each in (one, colleague, elsewhere)}
    assert len(orders) == 3


def test_the_stores_own_path_makes_no_difference(sqlite_world: World) -> None:
    service, key = Service.hired(sqlite_world), with_key()
    first = service.place(headers=key)
    path = f"/stores/{service.store}/orders"
    again = sqlite_world.http.post(path, json=ORDER, headers={**service.bearer, **key})
    assert again.json() == first.json()


def test_a_key_is_forgotten_after_a_day(sqlite_file: str) -> None:
    clock = ManualClock()
    world = World(sqlite_file, clock=clock)
    try:
        service, key = Service.hired(world, access_seconds=3 * 86_400), with_key()
        first = service.place(headers=key).json()
        clock.move(timedelta(hours=23, minutes=59))
        assert service.place(headers=key).json() == first
        clock.move(timedelta(minutes=2))
        assert service.place(headers=key).json() != first
        assert service.list().headers["x-total-count"] == "2"
    finally:
        world.close()


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "é"], ids=["empty", "long", "a tab", "no ASCII"])
def test_a_key_that_cannot_be_is_refused_by_name(sqlite_world: World, key: str) -> None:
    service = Service.hired(sqlite_world)
    headers = [*service.bearer.items(), ("Idempotency-Key", key.encode())]
    answer = sqlite_world.http.post("/orders", json=ORDER, headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["message"].startswith("Idempotency-Key ")
