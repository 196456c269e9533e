"""What a token is good for, and who may know (RFC 7662)."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from authsrv.storage.clients import find_client, save_client
from authsrv.storage.unit import Unit
from tests.actors import Service
from tests.engines import on_postgresql_alone
from tests.people import App, Person
from tests.support.world import ManualClock, World

FORMATS = ("jwt", "opaque")
INACTIVE = {"active": False}


@pytest.mark.parametrize("token_format", FORMATS)
def test_a_client_learns_all_about_its_own_token(world: World, token_format: str) -> None:
    service = Service.hired(world, token_format=token_format)
    described = service.introspect(service.get_token(scope="orders:read"))
    assert described.pop("exp") - described.pop("iat") == 3600
    assert described.pop("jti")
    assert described == {
        "active": True,
        "scope": "orders:read",
        "client_id": service.client_id,
        "token_type": "Bearer",
        "sub": service.client_id,
        "aud": world.url,
        "iss": world.url,
        "store": service.store,
    }


@pytest.mark.parametrize("token_format", FORMATS)
def test_another_clients_token_is_inactive_to_an_ordinary_client(world: World, token_format: str) -> None:
    token = Service.hired(world, token_format=token_format).get_token()
    assert Service.hired(world).introspect(token) == INACTIVE


@pytest.mark.parametrize("token_format", FORMATS)
def test_a_resource_server_sees_every_token(world: World, token_format: str) -> None:
    service = Service.hired(world, token_format=token_format)
    described = Service.hired(world, is_resource_server=True).introspect(service.get_token())
    assert described["active"] is True
    assert described["client_id"] == service.client_id
    assert described["store"] == service.store


@pytest.mark.parametrize("client", [{}, {"subject_type": "pairwise"}], ids=["public", "pairwise"])
def test_a_resource_server_sees_every_refresh_token_too(world: World, client: dict[str, str]) -> None:
    app, person = App.registered(world, **client), Person.signed_in(world)
    tokens = app.log_in(person)
    watching, other = Service.hired(world, is_resource_server=True), Service.hired(world)
    described = watching.introspect(tokens["refresh_token"])
    assert described == Service(world, None, app.credentials).introspect(tokens["refresh_token"])
    assert described["active"] is True
    assert described["client_id"] == app.credentials.client_id
    assert described["sub"] == watching.introspect(tokens["access_token"])["sub"]
    assert other.introspect(tokens["refresh_token"]) == INACTIVE
    app.refresh(tokens["refresh_token"])
    assert watching.introspect(tokens["refresh_token"]) == INACTIVE


def test_a_refresh_token_ends_when_nobody_uses_it(world: World) -> None:
    watching = Service.hired(world, is_resource_server=True)
    for seconds, ends in ((3600, "refresh_idle_seconds"), (600, "grant_seconds")):
        app = App.registered(world, **{ends: seconds})  # type: ignore[arg-type]
        token = app.log_in(Person.signed_in(world))["refresh_token"]
        assert watching.introspect(token)["exp"] == pytest.approx(time.time() + seconds, abs=60)


@pytest.mark.parametrize(
    "change", [{"suspended_at": datetime(2026, 1, 1, tzinfo=UTC)}, {"grant_types": ["authorization_code"]}], ids=str
)
def test_a_refresh_token_that_its_client_may_not_use_is_inactive(world: World, change: dict[str, Any]) -> None:
    app = App.registered(world)
    token = app.log_in(Person.signed_in(world))["refresh_token"]
    watching = Service.hired(world, is_resource_server=True)
    described = watching.introspect(token)
    assert (described["active"], described["token_use"]) == (True, "refresh_token")

    def work(unit: Unit) -> None:
        # The client's row alone: a grant that was made meanwhile is not revoked.
        client = find_client(unit, app.credentials.client_id)
        assert client is not None
        for name, value in change.items():
            setattr(client, name, value)
        save_client(unit, client)

    world.transact(work)
    assert watching.introspect(token) == INACTIVE


@pytest.mark.parametrize("token_format", FORMATS)
@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "magic"])
def test_a_hint_changes_nothing(world: World, token_format: str, hint: str) -> None:
    service = Service.hired(world, token_format=token_format)
    assert service.introspect(service.get_token(), token_type_hint=hint)["active"] is True


@pytest.mark.parametrize("token_format", FORMATS)
def test_a_revoked_token_is_inactive(world: World, token_format: str) -> None:
    service = Service.hired(world, token_format=token_format)
    token = service.get_token()
    service.revoke(token)
    assert service.introspect(token) == INACTIVE
    assert Service.hired(world, is_resource_server=True).introspect(token) == INACTIVE


@pytest.mark.parametrize("token_format", FORMATS)
def test_a_suspended_clients_tokens_are_inactive(world: World, token_format: str) -> None:
    service = Service.hired(world, token_format=token_format)
    token = service.get_token()
    world.suspend(service.credentials)
    assert Service.hired(world, is_resource_server=True).introspect(token) == INACTIVE


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("x", id="a letter"),
        pytest.param("at_", id="a bare prefix"),
        pytest.param("at_" + "A" * 80, id="a handle that nobody sealed"),
        pytest.param("a.b.c", id="three parts"),
        pytest.param("...", id="dots"),
        pytest.param("eyJhbGciOiJub25lIn0.e30.", id="an unsigned JWT"),
        pytest.param("eyJ0eXAiOiJhdCtqd3QiLCJraWQiOnt9fQ.e30.AA", id="a kid that is an object"),
        pytest.param("é\u0000\U0001f6d2", id="no ASCII"),
        pytest.param("A" * 20_000, id="something very long"),
    ],
)
@on_postgresql_alone()
def test_garbage_is_inactive(world: World, token: str) -> None:
    assert Service.hired(world).introspect(token) == INACTIVE


def test_a_changed_token_is_inactive(world: World) -> None:
    for token_format in FORMATS:
        service = Service.hired(world, token_format=token_format)
        token = service.get_token()
        middle = len(token) // 2
        other = "A" if token[middle] != "A" else "B"
        assert service.introspect(token[:middle] + other + token[middle + 1 :]) == INACTIVE
        assert service.introspect(token[:-1]) == INACTIVE
        assert service.introspect(token + "A") == INACTIVE


@pytest.mark.parametrize("path", ["/oauth/introspect", "/oauth/revoke"])
@pytest.mark.parametrize(
    ("credentials", "form", "status", "error"),
    [
        pytest.param("own", {}, 400, "invalid_request", id="no token"),
        pytest.param("own", {"token": ""}, 400, "invalid_request", id="an empty token"),
        pytest.param("wrong", {"token": "x"}, 401, "invalid_client", id="a wrong secret"),
        pytest.param("none", {"token": "x"}, 401, "invalid_client", id="nobody"),
        pytest.param("own", {"token": ["x", "y"]}, 400, "invalid_request", id="two tokens"),
    ],
)
@on_postgresql_alone()
def test_a_request_that_makes_no_sense_is_refused(
    world: World, path: str, credentials: str, form: dict[str, str], status: int, error: str
) -> None:
    service = Service.hired(world)
    auth = {"own": service.basic, "wrong": httpx.BasicAuth(service.client_id, "wrong"), "none": httpx.Auth()}
    answer = world.http.post(path, data=form, auth=auth[credentials])
    assert answer.status_code == status
    assert answer.json()["error"] == error
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/oauth/introspect", "/oauth/revoke"])
def test_a_token_in_the_query_is_refused(world: World, path: str) -> None:
    service = Service.hired(world)
    answer = world.http.post(path, params={"token": service.get_token()}, auth=service.basic)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


def test_a_public_client_may_not_introspect(world: World) -> None:
    app = Service.hired(world, type="spa", redirect_uris=["https://app.example/cb"], scope="openid")
    answer = world.http.post("/oauth/introspect", data={"token": "x", "client_id": app.client_id})
    assert answer.status_code == 401


@pytest.mark.parametrize("token_format", FORMATS)
def test_a_token_ends_when_its_time_has_come(tmp_path: Path, clock: ManualClock, token_format: str) -> None:
    world = World(f"sqlite:///{tmp_path / 'authsrv.db'}", clock=clock)
    try:
        service = Service.hired(world, access_seconds=30, token_format=token_format)
        token = service.get_token()
        clock.move(timedelta(seconds=29))
        assert service.introspect(token)["active"] is True
        clock.move(timedelta(seconds=1))
        assert service.introspect(token) == INACTIVE
        answer = world.http.get("/orders", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    finally:
        world.close()
