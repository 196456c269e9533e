"""An app that is not approved has places for thirty stores: the next person is told, then the app; the thirty go on."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest
from sqlmodel import col, delete

from authsrv.oauth.connecting import MOST_UNAPPROVED
from authsrv.oauth.registration import approve_client
from authsrv.storage.clients import find_client
from authsrv.storage.connections import Connection, add_connected_grant, connect_store, count_connections
from authsrv.storage.grants import Grant
from authsrv.storage.stores import add_store
from authsrv.storage.unit import Unit
from tests.people import App, Person, answer_in, forms_of
from tests.rules.test_statements import counted
from tests.support.world import Registered, World

SCOPE = "orders:read"


@pytest.fixture
def app(world: World) -> App:
    return App.registered(world, scope=SCOPE)


def url(app: App) -> str:
    return app.authorize_url(scope=SCOPE)


def fill(world: World, credentials: Registered, count: int) -> list[str]:
    """Connects the app to so many fresh stores, by grants of one person who belongs to them; their prefixes."""
    person = Person.signed_in(world)
    stores = [f"s{uuid4().hex[:12]}" for _ in range(count)]

    def work(unit: Unit) -> None:
        now, client = unit.now(), find_client(unit, credentials.client_id)
        assert client is not None
        for prefix in stores:
            store = add_store(unit, prefix=prefix, name="A shop", currency="USD")
            assert connect_store(unit, client.id, store.id, most=MOST_UNAPPROVED)
            grant = Grant(
                id=unit.new_id(),
                user_id=person.user_id,
                client_id=client.id,
                store_id=store.id,
                scope=SCOPE,
                requested_scope=SCOPE,
                auth_time=now,
                created_at=now,
                expires_at=now.replace(year=now.year + 1),
            )
            assert add_connected_grant(unit, grant)

    world.transact(work)
    return stores


def approve(world: World, credentials: Registered) -> None:
    def work(unit: Unit) -> None:
        client = find_client(unit, credentials.client_id)
        assert client is not None
        approve_client(unit, client, actor="test")

    world.transact(work)


def count(world: World, app: App) -> int:
    def work(unit: Unit) -> int:
        client = find_client(unit, app.credentials.client_id)
        return count_connections(unit, client.id) if client else 0

    return world.transact(work)


def customer_of(world: World, *stores: str) -> Person:
    return Person.signed_in(world, stores=stores)


def is_told(page: httpx.Response) -> bool:
    return page.status_code == 403 and "already" in page.text and "30 stores" in page.text


def test_the_thirty_first_store_is_refused_to_the_person_and_then_to_the_app(world: World, app: App) -> None:
    fill(world, app.credentials, 30)
    person = customer_of(world, world.add_store().prefix)
    page = person.visit(url(app))
    assert is_told(page)
    told = answer_in(person.send(page))
    assert (told["error"], told["state"], told["iss"]) == ("access_denied", "a state", world.url)
    assert "30 stores" in told["error_description"]
    # Whatever a made-up answer to that page says, it allows nothing.
    assert answer_in(person.send(page, decision="allow"))["error"] == "access_denied"
    assert count(world, app) == 30


def test_the_thirtieth_is_not(world: World, app: App) -> None:
    fill(world, app.credentials, 29)
    person = customer_of(world, world.add_store().prefix)
    assert "code" in person.allow(url(app))
    assert count(world, app) == 30


def test_the_first_thirty_go_on(world: World, app: App) -> None:
    own = world.add_store().prefix
    person = customer_of(world, own)
    tokens = app.redeem(person.allow(url(app))["code"]).json()
    fill(world, app.credentials, 29)
    assert is_told(customer_of(world, world.add_store().prefix).visit(url(app)))
    # A refresh, the same person again without being asked, and after a new question; another person of that store.
    assert app.refresh(tokens["refresh_token"]).status_code == 200
    assert "code" in answer_in(person.browser.get(url(app)))
    assert "code" in person.allow(app.authorize_url(scope=SCOPE, prompt="consent"))
    assert "code" in customer_of(world, own).allow(url(app))
    assert count(world, app) == 30


def test_who_is_refused_while_the_page_was_open_is_told_so(world: World, app: App) -> None:
    fill(world, app.credentials, 29)
    late, quick = (customer_of(world, world.add_store().prefix) for _ in range(2))
    page = late.visit(url(app))
    assert page.status_code == 200
    assert "code" in quick.allow(url(app))
    told = late.send(page, decision="allow")
    assert is_told(told)
    assert answer_in(late.send(told))["error"] == "access_denied"


def test_of_many_who_allow_the_last_place_at_once_one_gets_it(world: World, app: App) -> None:
    fill(world, app.credentials, 29)
    people = [customer_of(world, world.add_store().prefix) for _ in range(6)]
    pages = [person.visit(url(app)) for person in people]

    def allow(person: Person, page: httpx.Response) -> httpx.Response:
        return person.send(page, decision="allow")

    with ThreadPoolExecutor(len(people)) as pool:
        answers = list(pool.map(allow, people, pages))
    assert sorted(answer.status_code for answer in answers) == [303, *[403] * 5]
    assert count(world, app) == 30


def test_among_several_stores_only_those_with_a_place_can_be_chosen(world: World, app: App) -> None:
    known = fill(world, app.credentials, 30)[0]
    person = customer_of(world, known, world.add_store().prefix)
    page = person.visit(url(app))
    assert page.text.count("disabled") == 1
    assert ("store", known) in forms_of(page)[0].fields
    assert "no other can be chosen" in page.text
    assert "code" in answer_in(person.send(page, decision="allow"))


def test_approval_lifts_the_cap(world: World, app: App) -> None:
    fill(world, app.credentials, 30)
    person = customer_of(world, world.add_store().prefix)
    assert is_told(person.visit(url(app)))
    approve(world, app.credentials)
    assert "code" in person.allow(url(app))
    assert count(world, app) == 31


def test_a_store_whose_last_person_disconnected_the_app_makes_room(world: World, app: App) -> None:
    fill(world, app.credentials, 29)
    leaving, coming = (customer_of(world, world.add_store().prefix) for _ in range(2))
    leaving.allow(url(app))
    assert is_told(coming.visit(url(app)))
    page = leaving.visit("/account")
    (form,) = [at for at, form in enumerate(forms_of(page)) if form.action.endswith("/account/apps")]
    leaving.send(page, form=form)
    assert "code" in coming.allow(url(app))
    assert count(world, app) == 30
    assert is_told(leaving.visit(url(app)))


def test_who_wants_no_page_is_refused_without_one(world: World, app: App) -> None:
    fill(world, app.credentials, 30)
    person = customer_of(world, world.add_store().prefix)
    assert answer_in(person.visit(app.authorize_url(scope=SCOPE, prompt="none")))["error"] == "consent_required"


def test_a_grant_for_no_store_takes_no_place(world: World, app: App) -> None:
    fill(world, app.credentials, 30)
    assert "code" in Person.signed_in(world).allow(url(app))


def test_a_registered_app_has_no_more_places_than_any_other(world: World) -> None:
    public = App.registered(world, kind="spa", scope=SCOPE)
    fill(world, public.credentials, 30)
    assert is_told(customer_of(world, world.add_store().prefix).visit(url(public)))


def test_a_consent_to_a_store_costs_no_more_than_its_place(world: World, app: App) -> None:
    person = customer_of(world, world.add_store().prefix)
    page = person.visit(url(app))
    with counted(world) as statements:
        person.send(page, decision="allow")
    connecting = [statement for statement in statements if " connection" in statement]
    # The grant is tried, the place is looked for and taken, and the grant is made.
    assert len(connecting) == 4
    again = []
    for _ in range(3):
        with counted(world) as statements:
            person.browser.get(url(app))
        again.append(len(statements))
    # What runs beside requests may fall into one of them.
    assert min(again) == 3


def test_a_form_that_is_sent_twice_takes_one_place(world: World, app: App) -> None:
    person = customer_of(world, world.add_store().prefix)
    page = person.visit(url(app))
    assert "code" in answer_in(person.send(page, decision="allow"))
    assert person.send(page, decision="allow").status_code == 400
    assert count(world, app) == 1


@pytest.mark.parametrize("others", [0, 30], ids=["with places left", "with none"])
def test_a_store_whose_place_was_lost_is_connected_again_or_told_of(world: World, app: App, others: int) -> None:
    """What a server of the last version granted while this one was already there has no place yet."""
    person = customer_of(world, world.add_store().prefix)
    person.allow(url(app))

    def lose(unit: Unit) -> None:
        client = find_client(unit, app.credentials.client_id)
        assert client is not None
        unit.change(delete(Connection).where(col(Connection.client_id) == client.id))

    world.transact(lose)
    if others:
        fill(world, app.credentials, others)
        assert is_told(person.visit(url(app)))
    else:
        assert "code" in answer_in(person.browser.get(url(app)))
        assert count(world, app) == 1
