"""API passwords under real concurrency: one for each customer and store, and none once it is taken back."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from authsrv.identity.customer_api import (
    ApiPassword,
    Customer,
    allow_customer,
    get_customer,
    make_password,
    revoke_password,
    withdraw_customer,
)
from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.errors import DomainError
from authsrv.storage.audit import list_audit_events
from authsrv.storage.clients import list_clients, list_live_secrets
from authsrv.storage.personal_clients import find_personal_client
from authsrv.storage.unit import Unit
from tests.people import Person
from tests.support.world import World

ENTROPY = SystemEntropy()


@pytest.fixture
def customer(world: World) -> Customer:
    """Somebody whom a store allows the Customer API."""
    prefix = world.add_store().prefix
    person = Person.signed_in(world, stores=(prefix,))

    def work(unit: Unit) -> Customer:
        somebody = get_customer(unit, person.email, prefix)
        allow_customer(unit, somebody, actor="test")
        return somebody

    return world.transact(work)


def make(world: World, customer: Customer) -> ApiPassword | None:
    """The pair, or None where it is not allowed."""
    try:
        return world.transact(lambda unit: make_password(unit, customer, entropy=ENTROPY, actor="test"))
    except DomainError as refusal:
        if refusal.code != "customer_api_not_allowed":
            raise
        return None


def works(world: World, pair: ApiPassword) -> bool:
    form = {"grant_type": "client_credentials", "client_id": pair.client_id, "client_secret": pair.client_secret}
    return world.http.post("/oauth/token", data=form).status_code == 200


def all_at_once(deeds: list[Callable[[], Any]]) -> list[Any]:
    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(lambda deed: deed(), deeds))


def test_of_many_made_at_once_exactly_one_works(world: World, customer: Customer) -> None:
    pairs = all_at_once([lambda: make(world, customer)] * 8)
    assert len({pair.client_id for pair in pairs}) == 8
    assert sum(works(world, pair) for pair in pairs) == 1

    def secrets(unit: Unit) -> int:
        client = find_personal_client(unit, user_id=customer.user_id, store_id=customer.store_id)
        assert client is not None
        return len(list_live_secrets(unit, client.id))

    assert world.transact(secrets) == 1


def test_none_is_made_past_a_withdrawal(world: World, customer: Customer) -> None:
    """However they fall: in the end nothing works."""

    def withdraw() -> None:
        world.transact(lambda unit: withdraw_customer(unit, customer, actor="test"))

    for _ in range(5):
        world.transact(lambda unit: allow_customer(unit, customer, actor="test"))
        made = all_at_once([lambda: make(world, customer), withdraw, lambda: make(world, customer)])
        assert not any(works(world, pair) for pair in made if pair is not None)
        assert make(world, customer) is None


def test_a_revocation_ends_once(world: World, customer: Customer) -> None:
    assert make(world, customer) is not None

    def revoke() -> bool:
        return world.transact(lambda unit: revoke_password(unit, customer, actor="test"))

    assert revoke() is True
    assert revoke() is False


def test_it_is_no_app(world: World, customer: Customer) -> None:
    pair = make(world, customer)
    assert pair is not None
    assert pair.client_id not in {client.client_id for client in world.transact(list_clients)}


def test_who_did_what_is_written_down_without_a_secret(world: World, customer: Customer) -> None:
    pair = make(world, customer)
    assert pair is not None
    world.transact(lambda unit: revoke_password(unit, customer, actor="test"))
    world.transact(lambda unit: withdraw_customer(unit, customer, actor="test"))
    events = world.transact(lambda unit: list_audit_events(unit, subject=customer.email))
    assert [event.event for event in events] == [
        "customer_api.withdrawn",
        "customer_api.password_revoked",
        "customer_api.password_made",
        "customer_api.allowed",
    ]
    assert all(event.details == {"store": customer.store} for event in events)


def test_there_is_nobody_to_allow_where_there_is_no_membership(world: World, customer: Customer) -> None:
    stranger = Customer(Person.signed_in(world).user_id, customer.store_id, "stranger@example.com", customer.store)
    with pytest.raises(DomainError, match="is no customer of"):
        world.transact(lambda unit: allow_customer(unit, stranger, actor="test"))
    with pytest.raises(DomainError, match="is no customer of"):
        world.transact(lambda unit: withdraw_customer(unit, stranger, actor="test"))
    assert make(world, stranger) is None
