"""A suspended person is out at once and everywhere, whatever was under way; resumed, they have what is still theirs."""

import asyncio
from datetime import timedelta

import pytest

from authsrv.identity.customer_api import Customer, allow_customer, change_all_customers, make_password
from authsrv.identity.suspension import PersonSuspended, refuse_suspended, resume_person, suspend_person
from authsrv.kit.entropy import SystemEntropy
from authsrv.storage.grants import Grant, add_grant, list_user_grants
from authsrv.storage.personal_clients import find_personal_client
from authsrv.storage.stores import find_store
from authsrv.storage.unit import Unit
from authsrv.storage.users import User, find_user_by_id
from tests.people import App, Person
from tests.support.world import World


def change(world: World, person: Person, act: str) -> bool:
    def work(unit: Unit) -> bool:
        doing = suspend_person if act == "suspend" else resume_person
        ends_at = unit.now() + timedelta(days=31)
        return doing(unit, get(unit, person), world.runtime.sessions, ends_at, actor="test", reason="a test")

    return world.transact(work)


def get(unit: Unit, person: Person) -> User:
    user = find_user_by_id(unit, person.user_id)
    assert user is not None
    return user


def grant_of(unit: Unit, person: Person, app: App) -> Grant:
    client = app.world.runtime.server.clients.find(unit, app.credentials.client_id)
    assert client is not None
    now = unit.now()
    return Grant(
        id=unit.new_id(),
        user_id=person.user_id,
        client_id=client.row_id,
        scope="openid",
        requested_scope="openid",
        auth_time=now,
        created_at=now,
        expires_at=now + timedelta(days=1),
    )


def test_it_is_done_once_and_undone_once(sqlite_world: World) -> None:
    person = Person.signed_in(sqlite_world)
    assert [change(sqlite_world, person, act) for act in ("suspend", "suspend", "resume", "resume")] == [
        True,
        False,
        True,
        False,
    ]


def test_who_is_suspended_hears_it_only_after_proving_who_they_are(sqlite_world: World) -> None:
    person = Person.signed_in(sqlite_world)
    change(sqlite_world, person, "suspend")
    with pytest.raises(PersonSuspended):
        sqlite_world.transact(lambda unit: refuse_suspended(get(unit, person)))


def test_api_passwords_stop_and_come_back_only_where_the_store_still_allows_them(sqlite_world: World) -> None:
    stores = [sqlite_world.add_store() for _ in range(2)]
    person = Person.signed_in(sqlite_world, stores=tuple(store.prefix for store in stores))

    def suspended(unit: Unit) -> list[bool]:
        clients = [find_personal_client(unit, user_id=person.user_id, store_id=store.id) for store in stores]
        return [client is not None and client.suspended_at is not None for client in clients]

    def allow(unit: Unit) -> None:
        for store in stores:
            customer = Customer(person.user_id, store.id, person.email, store.prefix)
            allow_customer(unit, customer, actor="test")
            make_password(unit, customer, entropy=SystemEntropy(), actor="test")

    def withdraw_first(unit: Unit) -> None:
        store = find_store(unit, stores[0].prefix)
        assert store is not None
        change_all_customers(unit, store, allowed=False, actor="test")

    def allow_second(unit: Unit) -> None:
        customer = Customer(person.user_id, stores[1].id, person.email, stores[1].prefix)
        allow_customer(unit, customer, actor="test")

    sqlite_world.transact(allow)
    change(sqlite_world, person, "suspend")
    assert sqlite_world.transact(suspended) == [True, True]
    sqlite_world.transact(withdraw_first)
    # What a store allows a suspended person waits until they are resumed.
    sqlite_world.transact(allow_second)
    assert sqlite_world.transact(suspended) == [True, True]
    change(sqlite_world, person, "resume")
    assert sqlite_world.transact(suspended) == [True, False]


def test_a_permission_that_comes_after_the_suspension_is_none(world: World) -> None:
    person, app = Person.signed_in(world), App.registered(world)
    change(world, person, "suspend")
    assert not world.transact(lambda unit: add_grant(unit, grant_of(unit, person, app)))


def test_of_a_permission_and_a_suspension_at_once_no_living_permission_is_left(postgresql_world: World) -> None:
    """Each of many stores a grant in one transaction and is suspended in another, at the same moment."""
    world, app = postgresql_world, App.registered(postgresql_world)
    people = [Person.signed_in(world) for _ in range(12)]

    async def both(person: Person) -> None:
        def suspend(unit: Unit) -> bool:
            ends_at = unit.now() + timedelta(days=31)
            return suspend_person(unit, get(unit, person), world.runtime.sessions, ends_at, actor="t", reason="a test")

        await asyncio.gather(
            world.database.transact(lambda unit: add_grant(unit, grant_of(unit, person, app))),
            world.database.transact(suspend),
        )

    async def all_of_them() -> None:
        await asyncio.gather(*(both(person) for person in people))

    asyncio.run_coroutine_threadsafe(all_of_them(), world._loop).result(60)  # noqa: SLF001
    for person in people:
        assert world.transact(lambda unit, person=person: list_user_grants(unit, person.user_id)) == []  # type: ignore[misc]


def test_who_is_suspended_makes_no_api_password(world: World) -> None:
    store = world.add_store()
    person = Person.signed_in(world, stores=(store.prefix,))
    customer = Customer(person.user_id, store.id, person.email, store.prefix)

    def make(unit: Unit) -> None:
        make_password(unit, customer, entropy=SystemEntropy(), actor="test")

    world.transact(lambda unit: allow_customer(unit, customer, actor="test"))
    change(world, person, "suspend")
    with pytest.raises(PersonSuspended):
        world.transact(make)
    change(world, person, "resume")
    world.transact(make)
