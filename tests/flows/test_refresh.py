"""Refreshing for months: rotation that survives the network and ends a thief's chain (RFC 9700, 4.14)."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.people import App, Person
from tests.support.plain_http import NO_TLS
from tests.support.world import World


@pytest.fixture(params=["web", "spa"])
def app(request: pytest.FixtureRequest, world: World) -> App:
    return App.registered(world, kind=request.param)


def is_active(app: App, token: str) -> bool:
    return app.world.http.get("/oauth/userinfo", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_a_refresh_brings_a_new_pair_and_keeps_the_grant(world: World, app: App) -> None:
    tokens = app.log_in(Person.signed_in(world), prompt="consent")
    fresh = app.refresh(tokens["refresh_token"])
    assert fresh.status_code == 200
    assert fresh.json()["refresh_token"] != tokens["refresh_token"]
    assert fresh.json()["scope"] == tokens["scope"]
    assert is_active(app, fresh.json()["access_token"])


def test_a_lost_answer_is_given_again(world: World, app: App) -> None:
    tokens = app.log_in(Person.signed_in(world), prompt="consent")
    lost = app.refresh(tokens["refresh_token"]).json()
    again = app.refresh(tokens["refresh_token"]).json()
    assert again["refresh_token"] == lost["refresh_token"]
    assert app.refresh(again["refresh_token"]).status_code == 200


def test_reusing_a_refresh_token_ends_the_grant(world: World, app: App) -> None:
    tokens = app.log_in(Person.signed_in(world), prompt="consent")
    first = app.refresh(tokens["refresh_token"]).json()
    second = app.refresh(first["refresh_token"]).json()
    stolen = app.refresh(tokens["refresh_token"])
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")
    assert app.refresh(second["refresh_token"]).status_code == 400
    assert not is_active(app, second["access_token"])


def test_fifty_refreshes_at_once_leave_one_living_chain(world: World, app: App) -> None:
    tokens = app.log_in(Person.signed_in(world), prompt="consent")

    def refresh(_: int) -> httpx.Response:
        with httpx.Client(verify=NO_TLS, base_url=world.url, timeout=30) as http:
            return app.token(http, grant_type="refresh_token", refresh_token=tokens["refresh_token"])

    with ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(refresh, range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    assert app.refresh(answers[0].json()["refresh_token"]).status_code == 200


def test_a_code_sent_twice_ends_its_grant(world: World, app: App) -> None:
    answer = Person.signed_in(world).allow(app.authorize_url(prompt="consent"))
    tokens = app.redeem(answer["code"]).json()
    replayed = app.redeem(answer["code"])
    assert (replayed.status_code, replayed.json()["error"]) == (400, "invalid_grant")
    assert app.refresh(tokens["refresh_token"]).status_code == 400
    assert not is_active(app, tokens["access_token"])


def test_of_fifty_redemptions_at_once_one_wins_and_then_the_grant_is_dead(world: World, app: App) -> None:
    answer = Person.signed_in(world).allow(app.authorize_url(prompt="consent"))

    def redeem(_: int) -> httpx.Response:
        with httpx.Client(verify=NO_TLS, base_url=world.url, timeout=30) as http:
            return app.token(
                http,
                grant_type="authorization_code",
                code=answer["code"],
                redirect_uri=app.redirect_uri,
                code_verifier=app.verifier,
            )

    with ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(redeem, range(50)))
    won = [answer for answer in answers if answer.status_code == 200]
    assert len(won) == 1
    assert app.refresh(won[0].json()["refresh_token"]).status_code == 400
