"""Who works in a store changes and cancels its orders, with a token of their own, and those of no other store."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import pytest

from authsrv.storage.stores import find_store
from authsrv.storage.unit import Unit
from authsrv.storage.users import STAFF_ROLES, find_membership
from tests.actors import ADDRESS, ORDER, Service, bearer, order_of
from tests.people import App, Person
from tests.support.world import World

SCOPES = "openid orders:read orders:write"
ELSEWHERE = {**ADDRESS, "street": "7 Harbour Rd"}


@dataclass
class Worker:
    """Somebody of the store, with an app that acts for them there."""

    world: World
    store: str
    person: Person
    headers: dict[str, str]

    @classmethod
    def of(cls, world: World, store: str, role: str, scope: str = SCOPES) -> "Worker":
        person = Person.signed_in(world, stores=(store,), role=role)
        app = App.registered(world, scope=SCOPES, store=store)
        return cls(world, store, person, bearer(app.log_in(person, scope=scope)["access_token"]))

    def read(self, order_id: str) -> httpx.Response:
        return self.world.http.get(f"/orders/{order_id}", headers=self.headers)

    def change(self, order_id: str, **body: object) -> httpx.Response:
        return self.world.http.put(f"/orders/{order_id}", json=body, headers=self.headers)

    def cancel(self, order_id: str) -> httpx.Response:
        return self.world.http.delete(f"/orders/{order_id}", headers=self.headers)

    def become(self, role: str) -> None:
        """From now on they are something else in the store."""

        def work(unit: Unit) -> None:
            store = find_store(unit, self.store)
            assert store is not None
            membership = find_membership(unit, store_id=store.id, user_id=self.person.user_id)
            assert membership is not None
            membership.role = role
            unit.session.add(membership)

        self.world.transact(work)


@pytest.fixture
def shop(world: World) -> Service:
    return Service.hired(world)


@pytest.fixture(params=STAFF_ROLES)
def worker(request: pytest.FixtureRequest, shop: Service) -> Worker:
    """Staff, and an owner."""
    return Worker.of(shop.world, shop.store or "", request.param)


def placed(shop: Service) -> str:
    order_id: str = shop.place(order_of(("A100", 3))).json()["order_id"]
    return order_id


def stock_seen(shop: Service) -> int:
    """How many can still be had: one more is refused."""
    left = 0
    for quantity in (1000, 997):
        answer = shop.place(order_of(("A100", quantity)))
        if answer.status_code == 201:
            left = quantity
            shop.world.http.delete(f"/orders/{answer.json()['order_id']}", headers=shop.bearer)
            break
    return left


def test_they_move_an_order_all_the_way(shop: Service, worker: Worker) -> None:
    order_id = placed(shop)
    for status in ("processing", "shipped", "delivered"):
        answer = worker.change(order_id, status=status)
        assert (answer.status_code, answer.json()["status"]) == (200, status)
    assert shop.read(order_id).json()["status"] == "delivered"


def test_they_make_no_illegal_move_either(shop: Service, worker: Worker) -> None:
    order_id = placed(shop)
    refused = worker.change(order_id, status="delivered")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "invalid_transition")
    worker.change(order_id, status="processing")
    worker.change(order_id, status="shipped")
    assert worker.cancel(order_id).status_code == 409
    assert worker.change(order_id, shipping_address=ELSEWHERE).status_code == 409
    assert shop.read(order_id).json()["status"] == "shipped"


def test_they_change_where_an_order_goes(shop: Service, worker: Worker) -> None:
    order_id = placed(shop)
    assert worker.change(order_id, status="processing", shipping_address=ELSEWHERE).status_code == 200
    order = shop.read(order_id).json()
    assert (order["shipping_address"], order["status"]) == (ELSEWHERE, "processing")


@pytest.mark.parametrize("way", ["DELETE", "PUT"])
def test_they_cancel_and_the_stock_comes_back(shop: Service, worker: Worker, way: str) -> None:
    order_id = placed(shop)
    assert stock_seen(shop) == 997
    answer = worker.cancel(order_id) if way == "DELETE" else worker.change(order_id, status="cancelled")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert stock_seen(shop) == 1000
    assert worker.cancel(order_id).status_code == 409


def test_they_place_an_order_for_a_customer_whom_they_name(shop: Service, worker: Worker) -> None:
    http = worker.world.http
    order = http.post("/orders", json=ORDER, headers=worker.headers)
    assert shop.read(order.json()["order_id"]).json()["customer_id"] == ORDER["customer_id"]
    unnamed = {name: value for name, value in ORDER.items() if name != "customer_id"}
    refused = http.post("/orders", json=unnamed, headers=worker.headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_parameter")


def test_another_stores_orders_are_not_there(shop: Service, worker: Worker) -> None:
    elsewhere = Service.hired(shop.world)
    foreign = elsewhere.place().json()["order_id"]
    answers = (worker.read(foreign), worker.change(foreign, status="processing"), worker.cancel(foreign))
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert elsewhere.read(foreign).json()["status"] == "pending"


def test_a_token_that_may_only_read_changes_nothing(shop: Service) -> None:
    reader = Worker.of(shop.world, shop.store or "", "staff", scope="openid orders:read")
    order_id = placed(shop)
    assert reader.read(order_id).status_code == 200
    for answer in (reader.change(order_id, status="processing"), reader.cancel(order_id)):
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "insufficient_scope")
    assert shop.read(order_id).json()["status"] == "pending"


def test_who_works_there_no_longer_reaches_nothing_with_the_same_token(shop: Service, worker: Worker) -> None:
    order_id = placed(shop)
    assert worker.read(order_id).status_code == 200
    worker.become("customer")
    answers = (worker.read(order_id), worker.change(order_id, status="processing"), worker.cancel(order_id))
    assert [answer.status_code for answer in answers] == [404, 404, 404]


def test_two_of_them_at_once_cancel_once(shop: Service, worker: Worker) -> None:
    colleague = Worker.of(shop.world, worker.store, "staff")
    for _ in range(5):
        order_id = placed(shop)
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(Worker.cancel, [worker, colleague] * 2, [order_id] * 4))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert stock_seen(shop) == 1000


def test_who_works_in_a_store_sees_all_its_orders_and_a_customer_does_not(world: World) -> None:
    shop = Service.hired(world)
    assert shop.store is not None
    order_id = shop.place(ORDER).json()["order_id"]
    app = App.registered(world, scope="openid orders:read orders:write", store=shop.store)
    answers = {}
    for role in ("staff", "owner", "customer"):
        person = Person.signed_in(world, stores=(shop.store,), role=role)
        token = app.log_in(person, scope="openid orders:read orders:write")["access_token"]
        answers[role] = (
            world.http.get(f"/orders/{order_id}", headers=bearer(token)).status_code,
            len(world.http.get("/orders", headers=bearer(token)).json()),
        )
    assert answers == {"staff": (200, 1), "owner": (200, 1), "customer": (404, 0)}
