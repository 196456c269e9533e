"""An app sends a person to be logged in: what comes back, and what is shown instead (RFC 6749, 4.1; RFC 9700)."""

from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from authsrv.storage.grants import list_user_grants
from authsrv.storage.stores import add_store
from tests.engines import on_postgresql_alone
from tests.people import CALLBACK, App, Person, answer_in, forms_of
from tests.support.world import World


def test_the_answer_carries_code_state_and_issuer(world: World) -> None:
    app = App.registered(world)
    answer = Person.signed_in(world).allow(app.authorize_url())
    assert answer.keys() == {"code", "state", "iss"}
    assert (answer["state"], answer["iss"]) == ("a state", world.url)


def test_a_denial_goes_back_with_state_and_issuer(world: World) -> None:
    app, person = App.registered(world), Person.signed_in(world)
    page = person.visit(app.authorize_url())
    answer = answer_in(person.send(page, decision="deny"))
    assert (answer["error"], answer["state"], answer["iss"]) == ("access_denied", "a state", world.url)


def test_a_form_that_said_no_never_says_yes(world: World) -> None:
    app, person = App.registered(world), Person.signed_in(world)
    page = person.visit(app.authorize_url())
    for _ in range(2):  # a button is pressed twice
        assert answer_in(person.send(page, decision="deny"))["error"] == "access_denied"
    late = person.send(page, decision="allow")
    assert (late.status_code, late.is_redirect) == (400, False)
    assert world.transact(lambda unit: list_user_grants(unit, person.user_id)) == []
    assert person.allow(app.authorize_url()).keys() == {"code", "state", "iss"}


def test_a_person_who_is_not_signed_in_is_asked_to_sign_in(world: World) -> None:
    page = Person(world, "nobody@example.com").visit(App.registered(world).authorize_url())
    assert page.status_code == 200
    assert page.url.path == "/sign-in"


def test_an_app_may_post_its_request(world: World) -> None:
    app, person = App.registered(world), Person.signed_in(world)
    query = urlsplit(app.authorize_url()).query
    answer = person.browser.post(
        "/oauth/authorize", content=query, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert answer.is_redirect
    assert answer.headers["location"].startswith("/oauth/authorize?")


UNPROVEN: dict[str, dict[str, str | None]] = {
    "unknown client": {"client_id": "nobody"},
    "no client": {"client_id": None},
    "another redirect URI": {"redirect_uri": "https://evil.example/callback"},
    "a longer redirect URI": {"redirect_uri": f"{CALLBACK}/more"},
    "a redirect URI with a query": {"redirect_uri": f"{CALLBACK}?a=b"},
    "a redirect URI in capitals": {"redirect_uri": CALLBACK.upper()},
    "a redirect URI with a user": {"redirect_uri": "https://app.example@evil.example/callback"},
}


@pytest.mark.parametrize("changed", UNPROVEN.values(), ids=UNPROVEN.keys())
@on_postgresql_alone()
def test_nothing_is_sent_to_who_is_not_proven(world: World, changed: dict[str, str | None]) -> None:
    app = App.registered(world)
    page = Person.signed_in(world).visit(app.authorize_url(**changed))
    assert page.status_code == 400
    assert page.headers["content-type"].startswith("text/html")


REFUSED: dict[str, tuple[dict[str, str | None], str]] = {
    "no response_type": ({"response_type": None}, "invalid_request"),
    "the implicit flow": ({"response_type": "token"}, "unsupported_response_type"),
    "a hybrid flow": ({"response_type": "code id_token"}, "unsupported_response_type"),
    "no PKCE": ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    "plain PKCE": ({"code_challenge_method": "plain"}, "invalid_request"),
    "PKCE without a method, which means plain": ({"code_challenge_method": None}, "invalid_request"),
    "a malformed challenge": ({"code_challenge": "short"}, "invalid_request"),
    "an unknown scope": ({"scope": "openid everything"}, "invalid_scope"),
    "a scope the app does not have": ({"scope": "openid orders:write"}, "invalid_scope"),
    "fragment": ({"response_mode": "fragment"}, "invalid_request"),
    "a request object": ({"request": "eyJ"}, "request_not_supported"),
    "a request URI": ({"request_uri": "https://app.example/r"}, "request_uri_not_supported"),
    "an unknown resource": ({"resource": "https://elsewhere.example"}, "invalid_target"),
    "an unknown prompt": ({"prompt": "maybe"}, "invalid_request"),
    "prompt none with others": ({"prompt": "none login"}, "invalid_request"),
    "a max_age that is no number": ({"max_age": "soon"}, "invalid_request"),
    "claims that are no JSON": ({"claims": "{"}, "invalid_request"),
    "an essential acr that is not had": (
        {"claims": '{"id_token": {"acr": {"essential": true, "values": ["2", "3"]}}}'},
        "unmet_authentication_requirements",
    ),
    "an essential acr of one value": (
        {"claims": '{"id_token": {"acr": {"essential": true, "value": "gold"}}}'},
        "unmet_authentication_requirements",
    ),
    "claims of another shape": ({"claims": '{"userinfo": 1}'}, "invalid_request"),
    "NUL in the nonce": ({"nonce": "a\0b"}, "invalid_request"),
    "a nonce without end": ({"nonce": "n" * 513}, "invalid_request"),
}


@pytest.mark.parametrize(("changed", "error"), REFUSED.values(), ids=REFUSED.keys())
@on_postgresql_alone()
def test_a_refusal_goes_back_with_state_and_issuer(world: World, changed: dict[str, str | None], error: str) -> None:
    app = App.registered(world)
    answer = answer_in(Person.signed_in(world).visit(app.authorize_url(**changed)))
    assert (answer["error"], answer["state"], answer["iss"]) == (error, "a state", world.url)


def test_a_repeated_parameter_is_refused(world: World) -> None:
    app = App.registered(world)
    answer = answer_in(Person.signed_in(world).visit(f"{app.authorize_url()}&nonce=another"))
    assert answer["error"] == "invalid_request"


def test_prompt_none_says_that_a_sign_in_is_needed(world: World) -> None:
    app = App.registered(world)
    answer = answer_in(Person(world, "nobody@example.com").visit(app.authorize_url(prompt="none")))
    assert answer["error"] == "login_required"


def test_prompt_none_says_that_consent_is_needed(world: World) -> None:
    app = App.registered(world)
    answer = answer_in(Person.signed_in(world).visit(app.authorize_url(prompt="none")))
    assert answer["error"] == "consent_required"


def test_consent_is_asked_once(world: World) -> None:
    app, person = App.registered(world), Person.signed_in(world)
    app.log_in(person)
    assert "code" in answer_in(person.visit(app.authorize_url()))
    assert "code" in answer_in(person.visit(app.authorize_url(prompt="none")))


@pytest.mark.parametrize(
    "changed",
    [{"scope": "openid offline_access orders:read email"}, {"prompt": "consent"}],
    ids=["more scopes", "prompt consent"],
)
def test_consent_is_asked_again(world: World, changed: dict[str, str]) -> None:
    app, person = App.registered(world), Person.signed_in(world)
    app.log_in(person)
    assert person.visit(app.authorize_url(**changed)).url.path == "/consent"


def test_a_native_app_is_asked_for_every_time(world: World) -> None:
    app = App.registered(world, kind="native", redirect_uris=["http://127.0.0.1/cb"])
    person = Person.signed_in(world)
    app.log_in(person)
    assert person.visit(app.authorize_url()).url.path == "/consent"


@pytest.mark.parametrize(
    ("registered", "uri"),
    [
        pytest.param("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", id="a port"),
        pytest.param("http://127.0.0.1:8080/cb?a=b", "http://127.0.0.1:51004/cb?a=b", id="another port"),
        pytest.param("http://127.0.0.1:8080/cb", "http://127.0.0.1/cb", id="no port"),
        pytest.param("http://127.0.0.1", "http://127.0.0.1:51004", id="without a path"),
        pytest.param("http://[::1]/cb", "http://[::1]:51004/cb", id="IPv6"),
        pytest.param("http://[::1]:8080/cb", "http://[::1]:51004/cb", id="another port, IPv6"),
    ],
)
@on_postgresql_alone()
def test_a_native_app_comes_with_any_port(world: World, registered: str, uri: str) -> None:
    app = App.registered(world, kind="native", redirect_uris=[registered])
    page = Person.signed_in(world).visit(app.authorize_url(redirect_uri=uri))
    assert page.url.path == "/consent"


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param("http://localhost:51004/cb", id="a name"),
        pytest.param("http://127.0.0.2/cb", id="another address"),
        pytest.param("http://[::1]:51004/cb", id="the other loopback address"),
        pytest.param("http://127.0.0.1:51004/other", id="another path"),
        pytest.param("http://127.0.0.1:51004/c\nb", id="a line break"),
        pytest.param("http://127.0.0.1:51004/cb\t", id="a tab"),
        pytest.param(" http://127.0.0.1:51004/cb", id="a space in front"),
        pytest.param("HTTP://127.0.0.1:51004/cb", id="a scheme in capitals"),
        pytest.param("http://127.0.0.1:51004/cb?", id="an empty query"),
        pytest.param("http://127.0.0.1:51004/cb#", id="an empty fragment"),
        pytest.param("http://127.0.0.1:/cb", id="an empty port"),
        pytest.param("http://127.0.0.1:0/cb", id="port 0"),
        pytest.param("http://127.0.0.1:051004/cb", id="a port with a nought in front"),
        pytest.param("http://127.0.0.1:65536/cb", id="a port there is not"),
        pytest.param("http://me@127.0.0.1:51004/cb", id="a user name"),
    ],
)
@on_postgresql_alone()
def test_a_native_app_comes_with_nothing_else_changed(world: World, uri: str) -> None:
    app = App.registered(world, kind="native", redirect_uris=["http://127.0.0.1/cb"])
    assert Person.signed_in(world).visit(app.authorize_url(redirect_uri=uri)).status_code == 400


def test_an_unticked_scope_is_not_granted(world: World) -> None:
    app, person = App.registered(world), Person.signed_in(world)
    page = person.visit(app.authorize_url())
    back = person.send(page, without=("scope",), decision="allow", scope="offline_access")
    tokens = app.redeem(answer_in(back)["code"]).json()
    assert tokens["scope"].split() == ["openid", "offline_access"]
    # Asked for at authorization, not granted: left out. Never asked for: refused.
    narrowed = app.refresh(tokens["refresh_token"], scope="openid orders:read")
    assert narrowed.json()["scope"] == "openid"
    assert app.refresh(narrowed.json()["refresh_token"], scope="openid email").json()["error"] == "invalid_scope"
    # A refusal costs the client nothing.
    assert app.refresh(narrowed.json()["refresh_token"]).status_code == 200


def test_a_consent_form_works_once(world: World) -> None:
    app, person = App.registered(world), Person.signed_in(world)
    page = person.visit(app.authorize_url())
    assert "code" in answer_in(person.send(page, decision="allow"))
    assert person.send(page, decision="allow").status_code == 400


def test_a_consent_form_is_worth_nothing_in_another_browser(world: World) -> None:
    app, person = App.registered(world), Person.signed_in(world)
    page = person.visit(app.authorize_url())
    assert Person.signed_in(world).send(page, decision="allow").status_code == 400


def test_a_person_with_several_stores_chooses_one_each_time(world: World) -> None:
    first, second = world.add_store(), world.add_store()
    app, person = App.registered(world), Person.signed_in(world, stores=(first.prefix, second.prefix))
    page = person.visit(app.authorize_url())
    answer = answer_in(person.send(page, decision="allow", store=second.prefix))
    token = app.redeem(answer["code"]).json()["access_token"]
    orders = world.http.get("/orders", headers={"Authorization": f"Bearer {token}"})
    assert orders.status_code == 200
    assert introspect(world, token)["store"] == second.prefix
    assert person.visit(app.authorize_url()).url.path == "/consent"


def test_a_store_that_is_not_the_persons_cannot_be_chosen(world: World) -> None:
    stores = [world.add_store().prefix for _ in range(3)]
    app, person = App.registered(world), Person.signed_in(world, stores=(stores[0], stores[1]))
    page = person.visit(app.authorize_url())
    assert person.send(page, decision="allow", store=stores[2]).status_code == 400


def test_form_post_sends_the_answer_in_a_form(world: World) -> None:
    app, person = App.registered(world), Person.signed_in(world)
    page = person.send(person.visit(app.authorize_url(response_mode="form_post")), decision="allow")
    form = forms_of(page)[0]
    assert form.action == CALLBACK
    assert dict(form.fields).keys() == {"code", "state", "iss"}
    assert app.redeem(dict(form.fields)["code"]).status_code == 200


WRONG_REDEMPTIONS: dict[str, tuple[dict[str, str | None], str]] = {
    "another verifier": ({"code_verifier": "x" * 43}, "invalid_grant"),
    "no verifier": ({"code_verifier": None}, "invalid_request"),
    "another redirect URI": ({"redirect_uri": "https://app.example/other"}, "invalid_grant"),
    "no code": ({"code": None}, "invalid_request"),
    "a made-up code": ({"code": "ac_" + "A" * 60}, "invalid_grant"),
    "an unknown resource": ({"resource": "https://elsewhere.example"}, "invalid_target"),
}


@pytest.mark.parametrize(("changed", "error"), WRONG_REDEMPTIONS.values(), ids=WRONG_REDEMPTIONS.keys())
def test_a_code_is_refused(world: World, changed: dict[str, str | None], error: str) -> None:
    app = App.registered(world)
    code = Person.signed_in(world).allow(app.authorize_url())["code"]
    refused = app.redeem(code, **changed)
    assert (refused.status_code, refused.json()["error"]) == (400, error)
    # Whoever guessed wrong has not taken it from the app.
    assert app.redeem(code).status_code == 200


def test_another_apps_code_is_refused_and_nothing_happens(world: World) -> None:
    app, thief = App.registered(world), App.registered(world)
    code = Person.signed_in(world).allow(app.authorize_url())["code"]
    assert thief.redeem(code).json()["error"] == "invalid_grant"
    tokens = app.redeem(code)
    assert tokens.status_code == 200
    thief.redeem(code)
    assert app.refresh(tokens.json()["refresh_token"]).status_code == 200


def test_with_pkce_the_redirect_uri_may_be_left_out(world: World) -> None:
    app = App.registered(world)
    code = Person.signed_in(world).allow(app.authorize_url())["code"]
    assert app.redeem(code, redirect_uri=None).status_code == 200


def test_pkce_may_be_optional_for_one_client_and_cannot_be_downgraded(world: World) -> None:
    app, person = App.registered(world, pkce="optional"), Person.signed_in(world)
    without = {"code_challenge": None, "code_challenge_method": None}
    code = person.allow(app.authorize_url(**without))["code"]
    assert app.redeem(code).json()["error"] == "invalid_grant"
    assert app.redeem(code, code_verifier=None).status_code == 200
    code = person.allow(app.authorize_url())["code"]
    assert app.redeem(code, code_verifier=None).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("asked_with", "redeemed_with", "status"),
    [
        (None, None, 200),
        (None, CALLBACK, 200),
        (None, "https://app.example/other", 400),
        (CALLBACK, CALLBACK, 200),
        (CALLBACK, None, 400),
    ],
)
def test_without_pkce_the_redirect_uri_is_needed_where_the_request_had_it(
    world: World, asked_with: str | None, redeemed_with: str | None, status: int
) -> None:
    """RFC 6749, 4.1.3."""
    app = App.registered(world, pkce="optional")
    url = app.authorize_url(redirect_uri=asked_with, code_challenge=None, code_challenge_method=None)
    code = Person.signed_in(world).allow(url)["code"]
    answer = app.redeem(code, redirect_uri=redeemed_with, code_verifier=None)
    assert answer.status_code == status
    assert status == 200 or answer.json()["error"] == "invalid_grant"


@pytest.mark.parametrize("redeemed_with", [None, CALLBACK])
def test_with_pkce_a_redirect_uri_that_was_left_out_is_the_one_registered(
    world: World, redeemed_with: str | None
) -> None:
    app = App.registered(world)
    code = Person.signed_in(world).allow(app.authorize_url(redirect_uri=None))["code"]
    assert app.redeem(code, redirect_uri=redeemed_with).status_code == 200


@pytest.mark.parametrize(
    ("scope", "expected"),
    [("openid", False), ("openid offline_access", True), ("orders:read", True)],
    ids=["OpenID without offline access", "OpenID with it", "plain OAuth"],
)
def test_when_a_refresh_token_comes(world: World, scope: str, expected: bool) -> None:  # noqa: FBT001
    tokens = App.registered(world).log_in(Person.signed_in(world), scope=scope)
    assert ("refresh_token" in tokens) is expected


def introspect(world: World, token: str) -> dict[str, Any]:
    resource_server = world.add_client(is_resource_server=True)
    auth = httpx.BasicAuth(resource_server.client_id, resource_server.client_secret)
    answer: dict[str, Any] = world.http.post("/oauth/introspect", data={"token": token}, auth=auth).json()
    return answer


def test_a_redirect_uri_that_is_no_uri_is_shown_and_never_redirected_to(world: World) -> None:
    app = App.registered(world, kind="native", redirect_uris=["http://127.0.0.1/cb"])
    shown = world.http.get(app.authorize_url(redirect_uri="http://[127.0.0.1/cb"))
    assert (shown.status_code, shown.is_redirect) == (400, False)


def test_a_store_that_is_not_there_is_not_taken_for_another(world: World) -> None:
    store = world.add_store()
    app, person = App.registered(world), Person.signed_in(world, stores=(store.prefix,))
    for path in (app.authorize_url(), app.authorize_url().replace("/oauth/authorize", "/consent")):
        assert person.browser.get(f"/stores/nowhere{path}").status_code == 404


def test_a_store_is_there_as_soon_as_it_is_made_although_somebody_asked_before(world: World) -> None:
    prefix = f"s{uuid4().hex[:12]}"
    assert world.http.get(f"/stores/{prefix}/sign-in").status_code == 404
    world.transact(lambda unit: add_store(unit, prefix=prefix, name="A new shop", currency="EUR"))
    assert world.http.get(f"/stores/{prefix}/sign-in").status_code == 200
