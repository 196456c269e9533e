"""How far a token reaches: scopes and audiences narrowed, tokens of others, what a client may ask about its own."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.actors import Service, bearer
from tests.people import App, Person
from tests.support.world import World

WIDE = "orders:read account:read"


@pytest.fixture(params=["web", "spa"])
def app(request: pytest.FixtureRequest, world: World) -> App:
    return App.registered(world, kind=request.param, scope=f"openid offline_access cart {WIDE}")


def post(app: App, path: str, token: str) -> Any:
    own = app.credentials
    form = {"token": token, "client_id": own.client_id, "client_secret": "" if app.is_public else own.client_secret}
    return app.world.http.post(path, data=form)


def audience_of(world: World, token: str) -> Any:
    api = Service.hired(world, is_resource_server=True)
    return world.http.post("/oauth/introspect", data={"token": token}, auth=api.basic).json().get("aud")


def test_no_redirect_passes_a_form_on_to_the_app(world: World, app: App) -> None:
    """RFC 9700, 4.12: a 307 would have the browser send it again, to whoever comes next."""
    person = Person.signed_in(world)
    asked = urlsplit(app.authorize_url(scope=WIDE))
    posted = person.browser.post(asked.path, data=dict(parse_qsl(asked.query)))
    assert posted.status_code == 303
    allowed = person.send(person.visit(posted.headers["location"]), decision="allow")
    assert allowed.status_code == 303
    assert allowed.headers["referrer-policy"] == "no-referrer"


def test_a_narrower_refresh_does_not_shrink_the_grant(world: World, app: App) -> None:
    tokens = app.log_in(Person.signed_in(world), scope=WIDE)
    narrow = app.refresh(tokens["refresh_token"], scope="orders:read").json()
    assert narrow["scope"] == "orders:read"
    assert app.refresh(narrow["refresh_token"]).json()["scope"] == WIDE


def test_what_was_unticked_is_left_out_and_what_was_never_asked_for_is_refused(world: World, app: App) -> None:
    answer = Person.signed_in(world).allow(app.authorize_url(scope=WIDE), scope="orders:read")
    tokens = app.redeem(answer["code"]).json()
    assert tokens["scope"] == "orders:read"
    refused = app.refresh(tokens["refresh_token"], scope="orders:read cart")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")
    # The refusal used nothing up.
    fresh = app.refresh(tokens["refresh_token"], scope=WIDE)
    assert (fresh.status_code, fresh.json()["scope"]) == (200, "orders:read")


def test_a_resource_asked_for_at_authorization_bounds_every_token(world: World, app: App) -> None:
    tokens = app.log_in(Person.signed_in(world), scope=WIDE, resource=f"{world.url}/orders")
    assert audience_of(world, tokens["access_token"]) == f"{world.url}/orders"
    refused = app.refresh(tokens["refresh_token"], resource=world.url)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_target")
    fresh = app.refresh(tokens["refresh_token"], resource=f"{world.url}/orders").json()
    assert audience_of(world, fresh["access_token"]) == f"{world.url}/orders"


def test_a_resource_can_be_chosen_for_one_token(world: World, app: App) -> None:
    code = Person.signed_in(world).allow(app.authorize_url(scope=WIDE))["code"]
    tokens = app.redeem(code, resource=[f"{world.url}/orders", world.url]).json()
    assert audience_of(world, tokens["access_token"]) == [f"{world.url}/orders", world.url]
    narrow = app.refresh(tokens["refresh_token"], resource=f"{world.url}/orders").json()
    assert audience_of(world, narrow["access_token"]) == f"{world.url}/orders"
    assert audience_of(world, app.refresh(narrow["refresh_token"]).json()["access_token"]) == world.url


def test_an_unknown_resource_is_refused_everywhere(world: World, app: App) -> None:
    person = Person.signed_in(world)
    assert person.allow(app.authorize_url(resource="https://other.example"))["error"] == "invalid_target"
    code = person.allow(app.authorize_url(scope=WIDE))["code"]
    assert app.redeem(code, resource="https://other.example").json()["error"] == "invalid_target"
    tokens = app.redeem(code).json()
    refused = app.refresh(tokens["refresh_token"], resource="https://other.example")
    assert refused.json()["error"] == "invalid_target"


def test_nobody_revokes_or_reads_another_clients_tokens(world: World, app: App) -> None:
    tokens = app.log_in(Person.signed_in(world), scope="openid offline_access orders:read", prompt="consent")
    other = App.registered(world)
    assert post(other, "/oauth/revoke", tokens["access_token"]).json()["error"] == "invalid_grant"
    post(other, "/oauth/revoke", tokens["refresh_token"])
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert post(other, "/oauth/introspect", token).json() == {"active": False}
    assert other.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    # All of it left the grant alone.
    assert world.http.get("/oauth/userinfo", headers=bearer(tokens["access_token"])).status_code == 200
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_a_client_can_ask_about_its_own_refresh_token(world: World) -> None:
    app = App.registered(world)
    tokens = app.log_in(Person.signed_in(world), scope="orders:read")
    told = post(app, "/oauth/introspect", tokens["refresh_token"]).json()
    assert (told["active"], told["scope"], told["iss"]) == (True, "orders:read", world.url)
    fresh = app.refresh(tokens["refresh_token"]).json()
    assert post(app, "/oauth/introspect", tokens["refresh_token"]).json() == {"active": False}
    # RFC 7009, 2.1: with the refresh token goes every access token of its grant.
    assert post(app, "/oauth/revoke", fresh["refresh_token"]).json() == {}
    assert post(app, "/oauth/introspect", fresh["refresh_token"]).json() == {"active": False}
    assert post(app, "/oauth/introspect", tokens["access_token"]).json() == {"active": False}
    assert app.refresh(fresh["refresh_token"]).status_code == 400


def test_a_suspension_ends_every_grant_for_good(world: World) -> None:
    app, person = App.registered(world), Person.signed_in(world)
    tokens = app.log_in(person)
    world.suspend(app.credentials)
    world.resume(app.credentials)
    refused = app.refresh(tokens["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert app.log_in(person)["refresh_token"]


def test_another_clients_refresh_token_cannot_be_revoked(world: World) -> None:
    app, thief = App.registered(world), App.registered(world)
    tokens = app.log_in(Person.signed_in(world))
    auth = httpx.BasicAuth(thief.credentials.client_id, thief.credentials.client_secret)
    refused = world.http.post("/oauth/revoke", data={"token": tokens["refresh_token"]}, auth=auth)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert app.refresh(tokens["refresh_token"]).status_code == 200
