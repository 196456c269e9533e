"""Sections 4 and 6 of Vend's document, sentence by sentence: a code for tokens, and tokens for a refresh token."""

from typing import Any

import pytest

from tests.dialects.vend.tills import Till, at, retailer_of
from tests.engines import on_postgresql_alone
from tests.people import App, Person, answer_in
from tests.support.world import World


@pytest.fixture
def store(world: World) -> str:
    return world.add_store().prefix


@pytest.fixture
def till(world: World) -> Till:
    return Till.registered(world)


@pytest.fixture
def code(world: World, till: Till, store: str) -> str:
    return retailer_of(world, store).allow(till.connect_url())["code"]


def test_a_code_brings_an_access_token_and_a_refresh_token(till: Till, store: str, code: str) -> None:
    """4.1: "your application can now request an access token and a refresh token"."""
    answer = till.redeem(store, code)
    assert answer.status_code == 200
    assert list(answer.json()) == ["access_token", "token_type", "expires", "expires_in", "refresh_token", "scope"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain"])
def test_only_a_form_is_taken(world: World, till: Till, store: str, code: str, kind: str) -> None:
    """4.2: "sent as "application/x-www-form-urlencoded" encoded body of a POST request"."""
    answer = world.http.post("/api/1.0/token", content=b"{}", headers={**at(store), "Content-Type": kind})
    assert answer.status_code == 415
    assert world.http.get("/api/1.0/token", headers=at(store)).status_code == 405
    assert till.redeem(store, code).status_code == 200


@pytest.mark.parametrize("sent", ["all of it", "the code", "the id", "anything"])
@on_postgresql_alone()
def test_nothing_is_taken_from_the_query(world: World, till: Till, store: str, code: str, sent: str) -> None:
    """4.3: "This data should not be sent as GET parameters in a query string."."""
    own = {"client_id": till.credentials.client_id, "client_secret": till.credentials.client_secret}
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": "https://till.example/vend/callback"}
    in_query = {
        "all of it": {**own, **form},
        "the code": {"code": code},
        "the id": {"client_id": own["client_id"]},
        "anything": {"a": "b"},
    }[sent]
    body = {name: value for name, value in {**own, **form}.items() if name not in in_query}
    answer = world.http.post("/api/1.0/token", params=in_query, data=body, headers=at(store))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert till.redeem(store, code).status_code == 200


def test_the_code_is_for_that_store_and_another_does_not_use_it_up(
    world: World, till: Till, store: str, code: str
) -> None:
    """4.4: "https://{domain_prefix}.vendhq.com/api/1.0/token"."""
    elsewhere = till.redeem(world.add_store().prefix, code)
    assert (elsewhere.status_code, elsewhere.json()["error"]) == (400, "invalid_grant")
    assert till.redeem(store, code).status_code == 200


MISSING = {
    "code": (400, "invalid_request"),
    "client_id": (401, "invalid_client"),
    "client_secret": (401, "invalid_client"),
    "grant_type": (400, "invalid_request"),
    "redirect_uri": (400, "invalid_grant"),
}


@pytest.mark.parametrize("name", MISSING)
@on_postgresql_alone()
def test_none_of_the_five_parameters_can_be_left_out(till: Till, store: str, code: str, name: str) -> None:
    """4.5: "code, client_id, client_secret, grant_type, redirect_uri"."""
    answer = till.redeem(store, code, **{name: None})
    assert (answer.status_code, answer.json()["error"]) == MISSING[name]
    assert till.redeem(store, code).status_code == 200


WRONG = {
    "code": ("ac_made_up", "invalid_grant"),
    "client_id": ("nobody", "invalid_client"),
    "client_secret": ("cs_guessed", "invalid_client"),
    "grant_type": ("client_credentials", "unsupported_grant_type"),
    "redirect_uri": ("https://till.example/another", "invalid_grant"),
}


@pytest.mark.parametrize("name", WRONG)
@on_postgresql_alone()
def test_none_of_the_five_parameters_can_be_another(till: Till, store: str, code: str, name: str) -> None:
    """4.5: "grant_type - this is always authorization_code"."""
    value, error = WRONG[name]
    answer = till.redeem(store, code, **{name: value})
    assert (answer.status_code, answer.json()["error"]) == (401 if error == "invalid_client" else 400, error)
    assert till.redeem(store, code).status_code == 200


def test_the_secret_is_sent_in_the_body_only(till: Till, store: str, code: str) -> None:
    """4.5: "client_secret" stands among the parameters of the body."""
    own = till.credentials
    request = till.world.http.build_request(
        "POST",
        "/api/1.0/token",
        data={"grant_type": "authorization_code", "code": code, "redirect_uri": "https://till.example/vend/callback"},
        headers=at(store),
    )
    answer = till.world.http.send(request, auth=(own.client_id, own.client_secret))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert till.redeem(store, code).status_code == 200


def test_a_code_works_once_and_a_second_time_ends_what_the_first_brought(till: Till, store: str, code: str) -> None:
    """4.6: "a short-lived (10 minutes), single-use value"."""
    tokens = till.redeem(store, code).json()
    assert till.redeem(store, code).json()["error"] == "invalid_grant"
    assert till.refresh(store, tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert till.get(store, "/api/users", tokens["access_token"]).status_code == 401


def test_a_new_authorization_brings_a_new_code(world: World, till: Till, store: str) -> None:
    """4.6: "every new authorization request should start with Step 1"."""
    retailer = retailer_of(world, store)
    for _ in range(2):
        assert till.redeem(store, retailer.allow(till.connect_url())["code"]).status_code == 200


def test_a_refresh_token_brings_new_tokens(till: Till, store: str, code: str) -> None:
    """6.1: "your application can request a new access token using the refresh token"."""
    first = till.redeem(store, code).json()
    second = till.refresh(store, first["refresh_token"])
    assert second.status_code == 200
    assert second.json()["access_token"] != first["access_token"]
    assert till.get(store, "/api/users", second.json()["access_token"]).status_code == 200


REFRESH_MISSING = {
    "refresh_token": (400, "invalid_request"),
    "client_id": (401, "invalid_client"),
    "client_secret": (401, "invalid_client"),
    "grant_type": (400, "invalid_request"),
}


@pytest.mark.parametrize("name", REFRESH_MISSING)
@on_postgresql_alone()
def test_none_of_the_four_parameters_of_a_refresh_can_be_left_out(till: Till, store: str, code: str, name: str) -> None:
    """6.2: "refresh_token, client_id, client_secret, grant_type"."""
    token = till.redeem(store, code).json()["refresh_token"]
    answer = till.refresh(store, token, **{name: None})
    assert (answer.status_code, answer.json()["error"]) == REFRESH_MISSING[name]
    assert till.refresh(store, token).status_code == 200


def test_a_refresh_token_is_for_its_store_and_another_does_it_no_harm(
    world: World, till: Till, store: str, code: str
) -> None:
    """6.2: "https://someprefix.vendhq.com/api/1.0/token"."""
    elsewhere = world.add_store().prefix
    first = till.redeem(store, code).json()["refresh_token"]
    second = till.refresh(store, first).json()["refresh_token"]
    # The current one, and the one before it, which would bring the same again at home.
    for token in (second, first):
        assert till.refresh(elsewhere, token).json()["error"] == "invalid_grant"
    assert till.refresh(store, first).json()["refresh_token"] == second
    assert till.refresh(store, second).status_code == 200


def test_where_tokens_rotate_the_new_one_takes_the_old_ones_place(till: Till, store: str, code: str) -> None:
    """6.4: "The response payload may include a refresh token. If so, you need to update your currently stored ..."."""
    tokens = [till.redeem(store, code).json()["refresh_token"]]
    for _ in range(3):
        tokens.append(till.refresh(store, tokens[-1]).json()["refresh_token"])
    assert len(set(tokens)) == 4
    assert till.refresh(store, tokens[0]).json()["error"] == "invalid_grant"


def test_where_they_do_not_the_answer_has_none_and_the_old_one_goes_on(world: World, store: str) -> None:
    """6.3 and 6.5: "If no refresh token exists in the payload, ... continue to use the original refresh token"."""
    till = Till.registered(world, rotates_refresh_tokens=False)
    original = till.redeem(store, retailer_of(world, store).allow(till.connect_url())["code"]).json()["refresh_token"]
    for _ in range(3):
        answer = till.refresh(store, original)
        assert list(answer.json()) == ["access_token", "token_type", "expires", "expires_in", "scope"]


def test_a_clients_own_times_win(world: World, store: str) -> None:
    """4.10: "Currently, tokens expire in 24hrs", and 6.3 shows another number."""
    till = Till.registered(world, access_seconds=604_800)
    tokens = till.redeem(store, retailer_of(world, store).allow(till.connect_url())["code"]).json()
    assert tokens["expires_in"] == 604_800


@pytest.mark.parametrize("token_format", ["jwt", "opaque"])
def test_the_token_has_the_clients_format(world: World, store: str, token_format: str) -> None:
    """4.7: the document shows a text and promises nothing of its shape."""
    till = Till.registered(world, token_format=token_format)
    tokens = till.connect(retailer_of(world, store), store)
    assert (tokens["access_token"].count(".") == 2) == (token_format == "jwt")
    assert till.get(store, "/api/users", tokens["access_token"]).status_code == 200


def standard_refresh(till: Till, token: str) -> dict[str, Any]:
    own = till.credentials
    answer = till.world.http.post(
        "/oauth/token",
        data={"grant_type": "refresh_token", "refresh_token": token},
        auth=(own.client_id, own.client_secret),
    )
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_one_grant_goes_on_at_both_doors_and_each_gives_its_own_lifetime(till: Till, store: str, code: str) -> None:
    """4.10: "tokens expire in 24hrs" speaks of what is issued here."""
    here = till.redeem(store, code).json()
    there = standard_refresh(till, here["refresh_token"])
    back = till.refresh(store, there["refresh_token"]).json()
    assert (here["expires_in"], there["expires_in"], back["expires_in"]) == (86_400, 3_600, 86_400)
    assert "id_token" in there
    assert not {"id_token", "iss"} & (here.keys() | back.keys())


def test_a_code_of_this_door_is_none_at_the_standard_one_where_pkce_is_required(
    world: World, till: Till, code: str, store: str
) -> None:
    """3.1: no PKCE is a matter of these paths alone."""
    own = till.credentials
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": "https://till.example/vend/callback"}
    answer = world.http.post("/oauth/token", data=form, auth=(own.client_id, own.client_secret))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert till.redeem(store, code).status_code == 200


def test_a_code_that_was_asked_for_with_a_challenge_needs_its_verifier_here_too(world: World, store: str) -> None:
    """3.1: what a client asks for with PKCE at the standard door cannot be had without it here (RFC 9700, 4.8.2)."""
    app = App.registered(world)
    code = Person.signed_in(world, stores=(store,), role="owner").allow(app.authorize_url())["code"]
    till = Till(world, app.credentials)
    form = {"redirect_uri": app.redirect_uri}
    assert till.redeem(store, code, **form).json()["error"] == "invalid_grant"
    assert till.redeem(store, code, **form, code_verifier=app.verifier).status_code == 200


def test_an_app_without_the_refresh_token_grant_gets_none(world: World, store: str) -> None:
    """4.1: "an access token and a refresh token", where the client may have one."""
    till = Till.registered(world, grant_types=["authorization_code"])
    assert "refresh_token" not in till.connect(retailer_of(world, store), store)


@pytest.mark.parametrize("scope", ["openid email products:read", "products:read"])
def test_a_refresh_token_comes_whatever_scopes_the_client_has(world: World, store: str, scope: str) -> None:
    """4.1: "an access token and a refresh token"."""
    till = Till.registered(world, scope=scope)
    assert "refresh_token" in till.connect(retailer_of(world, store), store)


def test_who_does_not_want_the_app_to_stay_connected_lets_it_have_no_refresh_token(
    world: World, till: Till, store: str
) -> None:
    """4.1: a box that a person unticks counts more."""
    retailer = retailer_of(world, store)
    page = retailer.visit(till.connect_url())
    answer = answer_in(retailer.send(page, without=("scope",), scope="products:read", decision="allow"))
    tokens = till.redeem(store, answer["code"]).json()
    assert "refresh_token" not in tokens
    assert tokens["scope"] == "openid products:read"
