"""How long tokens live, for one client and for all, and what a client's suspension does to its grants."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from authsrv.kit.errors import DomainError
from authsrv.storage.clients import find_client, save_client
from tests.conftest import ENGINES
from tests.people import App, Person
from tests.support.world import ManualClock, World


@pytest.fixture(scope="module")
def hands() -> ManualClock:
    """The clock of the servers here; it only goes forward, so they can share it."""
    return ManualClock()


@pytest.fixture(scope="module", params=ENGINES)
def slow_world(
    request: pytest.FixtureRequest, new_database: Callable[[str], str], hands: ManualClock
) -> Iterator[World]:
    """A server whose time passes when it is told to."""
    world = World(new_database(request.param), clock=hands, database={"timeout_seconds": 20.0})
    yield world
    world.close()


def connected(world: World, kind: str = "web", **values: Any) -> tuple[App, dict[str, Any]]:
    app = App.registered(world, kind=kind, **values)
    return app, app.log_in(Person.signed_in(world), scope="orders:read")


def is_active(app: App, token: str) -> bool:
    own = app.credentials
    return bool(app.world.http.post("/oauth/introspect", data={"token": token}, auth=_pair(own)).json()["active"])


def _pair(own: Any) -> tuple[str, str]:
    return own.client_id, own.client_secret


def test_an_access_token_lives_as_long_as_its_client_wants(slow_world: World, hands: ManualClock) -> None:
    app, tokens = connected(slow_world, access_seconds=120)
    assert tokens["expires_in"] == 120
    hands.move(timedelta(seconds=118))
    assert is_active(app, tokens["access_token"])
    hands.move(timedelta(seconds=3))
    assert not is_active(app, tokens["access_token"])


def test_a_refresh_token_that_rests_too_long_is_dead(slow_world: World, hands: ManualClock) -> None:
    app, tokens = connected(slow_world, refresh_idle_seconds=3600)
    for _ in range(2):
        hands.move(timedelta(minutes=59))
        tokens = app.refresh(tokens["refresh_token"]).json()
    assert is_active(app, tokens["refresh_token"])
    hands.move(timedelta(minutes=61))
    assert not is_active(app, tokens["refresh_token"])
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_repeated_refresh_does_not_outlast_the_idle_time(slow_world: World, hands: ManualClock) -> None:
    app, tokens = connected(slow_world, refresh_idle_seconds=3600)
    app.refresh(tokens["refresh_token"])
    hands.move(timedelta(minutes=59))
    assert app.refresh(tokens["refresh_token"]).status_code == 200
    hands.move(timedelta(minutes=2))
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_grant_ends_however_often_it_is_refreshed_and_no_token_outlives_it(
    slow_world: World, hands: ManualClock
) -> None:
    app, tokens = connected(slow_world, grant_seconds=7200)
    hands.move(timedelta(minutes=110))
    tokens = app.refresh(tokens["refresh_token"]).json()
    assert 590 <= tokens["expires_in"] <= 600
    hands.move(timedelta(minutes=11))
    assert not is_active(app, tokens["access_token"])
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(("seconds", "status"), [(9, 200), (11, 400)])
def test_a_code_lives_as_long_as_its_client_wants(
    slow_world: World, hands: ManualClock, seconds: int, status: int
) -> None:
    app = App.registered(slow_world, code_seconds=10)
    code = Person.signed_in(slow_world).allow(app.authorize_url())["code"]
    hands.move(timedelta(seconds=seconds))
    assert app.redeem(code).status_code == status


@pytest.mark.parametrize(("kind", "grace"), [("spa", timedelta(seconds=60)), ("web", timedelta(hours=24))])
def test_a_lost_answer_is_given_again_within_the_grace_time_and_not_after(
    slow_world: World, hands: ManualClock, kind: str, grace: timedelta
) -> None:
    app, tokens = connected(slow_world, kind)
    lost = app.refresh(tokens["refresh_token"]).json()
    hands.move(grace - timedelta(seconds=1))
    assert app.refresh(tokens["refresh_token"]).json()["refresh_token"] == lost["refresh_token"]
    hands.move(timedelta(seconds=2))
    assert app.refresh(tokens["refresh_token"]).status_code == 400
    # That was reuse.
    assert app.refresh(lost["refresh_token"]).status_code == 400


def test_without_rotation_the_token_stays_and_the_idle_time_still_counts(slow_world: World, hands: ManualClock) -> None:
    app, tokens = connected(slow_world, rotates_refresh_tokens=False, refresh_idle_seconds=3600)
    for _ in range(3):
        hands.move(timedelta(minutes=59))
        answer = app.refresh(tokens["refresh_token"])
        assert answer.status_code == 200
        assert "refresh_token" not in answer.json()
    hands.move(timedelta(minutes=61))
    assert app.refresh(tokens["refresh_token"]).status_code == 400


@pytest.mark.parametrize("kind", ["spa", "native"])
def test_a_public_client_cannot_do_without_rotation(world: World, kind: str) -> None:
    with pytest.raises(DomainError, match="rotat"):
        App.registered(world, kind=kind, rotates_refresh_tokens=False)


def test_rotation_switched_off_strands_nobody_whose_answer_was_lost(world: World) -> None:
    """The client still holds the token before the current one; with a repeated answer alone it would lose its grant."""
    app, tokens = connected(world)
    app.refresh(tokens["refresh_token"])

    def switch_off(unit: Any) -> None:
        client = find_client(unit, app.credentials.client_id)
        assert client is not None
        client.rotates_refresh_tokens = False
        save_client(unit, client)

    world.transact(switch_off)
    again = app.refresh(tokens["refresh_token"]).json()
    kept = app.refresh(again["refresh_token"])
    assert kept.status_code == 200
    assert "refresh_token" not in kept.json()


def test_a_suspended_client_gets_nothing_of_its_grants(world: World) -> None:
    app, tokens = connected(world)
    person = Person.signed_in(world)
    world.suspend(app.credentials)
    refused = app.refresh(tokens["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    page = person.visit(app.authorize_url())
    assert (page.status_code, page.is_redirect) == (400, False)
    world.resume(app.credentials)
    # What died stays dead.
    assert not is_active(app, tokens["access_token"])
    assert app.log_in(person, scope="orders:read")["access_token"]
