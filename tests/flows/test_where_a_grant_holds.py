"""In which store an app may act for a person: the client's own, the one on this host, or none where it is not there."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from authsrv.oauth.authorization import AuthorizationRefused
from authsrv.oauth.consent import Standing
from authsrv.storage.stores import add_store
from authsrv.storage.unit import Unit
from authsrv.storage.users import list_memberships
from tests.people import App, Person
from tests.support.databases import migrate_with_keys
from tests.support.world import World


@pytest.fixture(scope="module")
def shop_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server whose own host has a store."""
    path: Path = tmp_path_factory.mktemp("shop")
    url = f"sqlite:///{path / 'authsrv.db'}"
    migrate_with_keys(url)
    world = World(url, default_store="corner")
    world.transact(lambda unit: add_store(unit, prefix="corner", name="The corner shop", currency="EUR"))
    yield world
    world.close()


def store_of(world: World, token: str, app: App) -> str | None:
    auth = (app.credentials.client_id, app.credentials.client_secret)
    store: str | None = world.http.post("/oauth/introspect", data={"token": token}, auth=auth).json().get("store")
    return store


def test_who_belongs_to_no_store_is_asked_for_the_hosts_own_and_becomes_its_customer(shop_world: World) -> None:
    app, person = App.registered(shop_world), Person.signed_in(shop_world)
    assert "The corner shop" in person.visit(app.authorize_url()).text
    assert store_of(shop_world, app.log_in(person)["access_token"], app) == "corner"
    joined = shop_world.transact(lambda unit: list_memberships(unit, person.user_id))
    assert [membership.role for membership in joined] == ["customer"]
    # From now on it is the person's own, and need not be asked for again.
    assert person.visit(app.authorize_url()).is_redirect


def test_who_says_no_joins_nothing(shop_world: World) -> None:
    app, person = App.registered(shop_world), Person.signed_in(shop_world)
    person.send(person.visit(app.authorize_url()), decision="deny")
    assert shop_world.transact(lambda unit: list_memberships(unit, person.user_id)) == []


def test_who_belongs_to_a_store_is_not_taken_to_the_hosts_own(shop_world: World) -> None:
    own = shop_world.add_store()
    app, person = App.registered(shop_world), Person.signed_in(shop_world, stores=(own.prefix,))
    assert store_of(shop_world, app.log_in(person)["access_token"], app) == own.prefix


def test_a_client_whose_store_is_not_there_gets_no_other(world: World) -> None:
    app, person = App.registered(world), Person.signed_in(world)
    runtime = world.runtime

    def judge(unit: Unit) -> Standing:
        client = runtime.server.clients.find(unit, app.credentials.client_id)
        assert client is not None
        pairs = [tuple(pair.split("=")) for pair in ("response_type=code", f"code_challenge={app.challenge}")]
        asked = runtime.server.rules.judge(
            [*pairs, ("code_challenge_method", "S256")],  # type: ignore[list-item]  # pairs of two
            replace(client, store="gone"),
            app.redirect_uri,
        )
        signed_in = runtime.sessions.find(unit, person.browser.cookies["authsrv_session"])
        assert signed_in is not None
        return runtime.consents.standing(unit, asked, signed_in, None)

    with pytest.raises(AuthorizationRefused) as refused:
        world.transact(judge)
    assert refused.value.error == "server_error"
