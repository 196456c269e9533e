"""Who is asked again: a fresh sign-in cannot be talked away, and what is allowed is what the page told of."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from sqlmodel import col, delete

from authsrv.oauth.approvals import apply_identity
from authsrv.storage.clients import find_client
from authsrv.storage.stores import find_store
from authsrv.storage.unit import Unit
from authsrv.storage.users import Membership
from tests.people import App, Person, answer_in
from tests.support.world import ManualClock, World


@pytest.fixture
def slow_world(sqlite_file: str, clock: ManualClock) -> Iterator[World]:
    """One whose time goes on when it is told to."""
    world = World(sqlite_file, clock=clock)
    yield world
    world.close()


def way_back(person: Person, url: str) -> str:
    """Where the sign-in page that this leads to would go on."""
    page = person.visit(url)
    assert page.url.path == "/sign-in"
    return parse_qs(page.url.query.decode())["next"][0]


def test_a_made_up_mark_does_not_stand_for_a_fresh_sign_in(world: World) -> None:
    app, person = App.registered(world), Person.signed_in(world)
    app.log_in(person)
    for mark in ("0", "fs_AAAA"):
        url = app.authorize_url(prompt="login", _fresh_since=mark)
        assert person.visit(url).url.path == "/sign-in"
        assert person.visit(url.replace("/oauth/authorize", "/consent")).url.path == "/sign-in"


def test_the_mark_of_a_fresh_sign_in_opens_nothing_later(slow_world: World, clock: ManualClock) -> None:
    app = App.registered(slow_world)
    back = way_back(Person.signed_in(slow_world), app.authorize_url(prompt="login"))
    clock.move(timedelta(minutes=5))
    later = Person.signed_in(slow_world)
    assert later.visit(back).url.path == "/consent"
    clock.move(timedelta(minutes=26))
    assert later.visit(back).url.path == "/sign-in"


@pytest.mark.parametrize("hint", ["of another person", "garbage"])
def test_a_hint_that_nobody_fulfils_is_an_error_after_one_sign_in(
    slow_world: World, clock: ManualClock, hint: str
) -> None:
    app, ann = App.registered(slow_world), Person.signed_in(slow_world)
    text = app.log_in(ann)["id_token"] if hint != "garbage" else hint
    back = way_back(Person.signed_in(slow_world), app.authorize_url(id_token_hint=text, state="s"))
    clock.move(timedelta(seconds=5))
    answer = answer_in(Person.signed_in(slow_world).visit(back))
    assert (answer["error"], answer["state"]) == ("login_required", "s")


def test_what_is_allowed_is_what_the_page_told_of(world: World) -> None:
    stores = [world.add_store().prefix for _ in range(2)]
    owner = Person.signed_in(world, stores=tuple(stores), role="owner")
    app = App.registered(world, scope="orders:read")
    page = owner.visit(app.authorize_url(scope="orders:read"))
    world.transact(lambda unit: leave(unit, stores[1], owner))
    # There is one store left now, but it is not the one that was chosen.
    done = owner.send(page, decision="allow", store=stores[1])
    assert (done.status_code, done.is_redirect) == (400, False)
    again = owner.visit(app.authorize_url(scope="orders:read"))
    assert "code" in answer_in(owner.send(again, decision="allow"))


def test_an_app_renamed_while_the_page_was_open_is_asked_for_again(world: World) -> None:
    app, person = App.registered(world), Person.signed_in(world)
    page = person.visit(app.authorize_url())
    world.transact(lambda unit: rename(unit, app))
    assert person.send(page, decision="allow").status_code == 400
    assert "code" in person.allow(app.authorize_url())


def leave(unit: Unit, prefix: str, person: Person) -> None:
    store = find_store(unit, prefix)
    assert store is not None
    unit.change(
        delete(Membership).where(col(Membership.store_id) == store.id, col(Membership.user_id) == person.user_id)
    )


def rename(unit: Unit, app: App) -> None:
    client = find_client(unit, app.credentials.client_id)
    assert client is not None
    apply_identity(unit, client, {"name": "Another name"}, actor="test")
