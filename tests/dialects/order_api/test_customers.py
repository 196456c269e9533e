"""Customers with tokens of their own: they see and change their own orders, and of others not even that they are."""

from dataclasses import dataclass

import httpx
import pytest

from authsrv.storage.stores import find_store
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_membership
from tests.actors import ADDRESS, Service, bearer, order_of
from tests.people import App, Person
from tests.support.world import World

SCOPES = "openid orders:read orders:write"


@dataclass
class Customer:
    """A customer of the service's store, with an app that acts for them there."""

    world: World
    headers: dict[str, str]
    number: str

    @classmethod
    def of(cls, service: Service, number: str | None = None) -> "Customer":
        """`number` is the store's own name for them, else it is ours."""
        world, store = service.world, service.store
        assert store is not None
        person = Person.signed_in(world, stores=(store,))

        def name(unit: Unit) -> str:
            row = find_store(unit, store)
            assert row is not None
            membership = find_membership(unit, store_id=row.id, user_id=person.user_id)
            assert membership is not None
            membership.customer_id = number or membership.customer_id
            unit.session.add(membership)
            return membership.customer_id

        number = world.transact(name)
        app = App.registered(world, scope=SCOPES, store=store)
        return cls(world, bearer(app.log_in(person, scope=SCOPES)["access_token"]), number)

    def ask(self, method: str, path: str, **values: object) -> httpx.Response:
        return self.world.http.request(method, path, headers=self.headers, **values)  # type: ignore[arg-type]

    def place(self, **changes: object) -> httpx.Response:
        wanted = order_of(("A100", 1), **changes)
        return self.ask("POST", "/orders", json={name: value for name, value in wanted.items() if value is not None})


@pytest.fixture
def service(world: World) -> Service:
    return Service.hired(world)


def test_a_customer_orders_without_saying_who_they_are(service: Service) -> None:
    customer = Customer.of(service)
    placed = customer.place(customer_id=None)
    assert placed.status_code == 201, placed.text
    order = customer.ask("GET", f"/orders/{placed.json()['order_id']}").json()
    assert order["customer_id"] == customer.number
    assert customer.place(customer_id=customer.number).status_code == 201


def test_a_customer_sees_what_the_store_placed_for_them_and_nothing_else(service: Service) -> None:
    customer, other = Customer.of(service, "12345"), Customer.of(service, "777")
    mine = service.place().json()["order_id"]
    theirs = other.place(customer_id=None).json()["order_id"]
    listed = customer.ask("GET", "/orders")
    assert [order["order_id"] for order in listed.json()] == [mine]
    assert listed.headers["x-total-count"] == "1"
    assert customer.ask("GET", "/orders?customer_id=12345").json() == listed.json()
    assert customer.ask("GET", f"/orders/{mine}").status_code == 200
    assert int(service.list().headers["x-total-count"]) == 2
    assert service.read(theirs).json()["customer_id"] == "777"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_anothers_order_is_not_found_rather_than_forbidden(service: Service, method: str) -> None:
    customer, other = Customer.of(service), Customer.of(service)
    foreign = other.place(customer_id=None).json()["order_id"]
    body = {"json": {"shipping_address": ADDRESS}} if method == "PUT" else {}
    answer = customer.ask(method, f"/orders/{foreign}", **body)
    nothing = customer.ask(method, "/orders/01900000-0000-7000-8000-000000000000", **body)
    assert (answer.status_code, answer.json()) == (404, nothing.json())
    assert other.ask("GET", f"/orders/{foreign}").json()["status"] == "pending"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_another_stores_order_is_not_found_either(service: Service, method: str) -> None:
    elsewhere = Service.hired(service.world)
    foreign = elsewhere.place().json()["order_id"]
    body = {"json": {"status": "cancelled"}} if method == "PUT" else {}
    answer = service.world.http.request(method, f"/orders/{foreign}", headers=service.bearer, **body)  # type: ignore[arg-type]
    assert answer.status_code == 404
    assert elsewhere.read(foreign).json()["status"] == "pending"
    assert service.list().json() == []


def test_a_customer_can_be_nobody_else(service: Service) -> None:
    customer, other = Customer.of(service), Customer.of(service)
    for answer in (
        customer.place(customer_id=other.number),
        customer.ask("GET", f"/orders?customer_id={other.number}"),
    ):
        assert answer.status_code == 400
        assert answer.json()["error"]["message"].startswith("customer_id is not")


@pytest.mark.parametrize("status", ["pending", "processing", "shipped", "delivered"])
def test_a_customer_does_not_do_the_shops_part(service: Service, status: str) -> None:
    customer = Customer.of(service)
    order_id = customer.place(customer_id=None).json()["order_id"]
    answer = customer.ask("PUT", f"/orders/{order_id}", json={"status": status})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("status")
    assert service.read(order_id).json()["status"] == "pending"


def test_a_customer_changes_the_address_and_cancels(service: Service) -> None:
    customer = Customer.of(service)
    order_id = customer.place(customer_id=None).json()["order_id"]
    moved = {**ADDRESS, "street": "7 Harbour Rd"}
    assert customer.ask("PUT", f"/orders/{order_id}", json={"shipping_address": moved}).status_code == 200
    assert service.read(order_id).json()["shipping_address"] == moved
    assert customer.ask("DELETE", f"/orders/{order_id}").json()["status"] == "cancelled"


def test_a_token_that_may_only_read_changes_nothing(service: Service) -> None:
    world, store = service.world, service.store
    assert store is not None
    person = Person.signed_in(world, stores=(store,))
    tokens = App.registered(world, store=store).log_in(person, scope="openid orders:read")
    answer = world.http.post("/orders", json=order_of(("A100", 1)), headers=bearer(tokens["access_token"]))
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "insufficient_scope"
