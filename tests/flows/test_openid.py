"""OpenID Connect: who the person is, said in a signed token and at the userinfo endpoint, until they sign out."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import nullcontext
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import KeySet

from authsrv.storage.unit import Unit
from authsrv.storage.users import find_user_by_id
from tests.people import App, Person, answer_in, forms_of
from tests.support.world import World

ALL = "openid profile email offline_access orders:read"


def verified(world: World, token: str, algorithm: str = "RS256") -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token, its signature checked with the published keys."""
    keys = KeySet.import_key_set(world.http.get("/oauth/jwks").json())
    # joserfc speaks up for EdDSA's new name (RFC 9864).
    with pytest.warns(SecurityWarning) if algorithm == "EdDSA" else nullcontext():
        decoded = jwt.decode(token, keys, algorithms=[algorithm])
    return decoded.header, decoded.claims


def userinfo(world: World, token: str, **headers: str) -> httpx.Response:
    return world.http.get("/oauth/userinfo", headers={"Authorization": f"Bearer {token}", **headers})


def test_an_id_token_says_who_signed_in_when_and_how(world: World) -> None:
    app, person = App.registered(world), Person.signed_in(world, name="Casey Customer")
    tokens = app.log_in(person, scope=ALL)
    header, claims = verified(world, tokens["id_token"])
    assert header["alg"] == "RS256"
    assert (claims["iss"], claims["aud"], claims["sub"]) == (world.url, app.credentials.client_id, str(person.user_id))
    assert (claims["nonce"], claims["amr"], claims["acr"]) == ("a nonce", ["otp"], "1")
    assert (claims["email"], claims["email_verified"], claims["name"]) == (person.email, True, "Casey Customer")
    assert claims["auth_time"] <= claims["iat"] < claims["exp"]
    digest = sha256(tokens["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert claims["sid"]


def test_claims_come_only_with_their_scopes(world: World) -> None:
    person = Person.signed_in(world, name="Casey Customer")
    tokens = App.registered(world).log_in(person, scope="openid")
    _, claims = verified(world, tokens["id_token"])
    assert claims.keys().isdisjoint({"email", "email_verified", "name"})
    assert userinfo(world, tokens["access_token"]).json() == {"sub": str(person.user_id)}


def test_a_claim_can_be_asked_for_by_itself(world: World) -> None:
    person = Person.signed_in(world)
    tokens = App.registered(world).log_in(person, scope="openid", claims='{"userinfo": {"email": null}}')
    assert userinfo(world, tokens["access_token"]).json()["email"] == person.email


@pytest.mark.parametrize("subject_type", ["public", "pairwise"])
def test_an_app_can_ask_for_one_person(world: World, subject_type: str) -> None:
    app = App.registered(world, subject_type=subject_type)
    wanted, other = Person.signed_in(world), Person.signed_in(world)
    _, claims = verified(world, app.log_in(wanted)["id_token"])
    url = app.authorize_url(claims=json.dumps({"id_token": {"sub": {"value": claims["sub"]}}}))
    assert "code" in answer_in(wanted.visit(url))
    assert other.visit(url).url.path == "/sign-in"
    assert answer_in(other.visit(f"{url}&prompt=none"))["error"] == "login_required"


@pytest.mark.parametrize(
    "acr",
    [
        {"essential": True, "values": ["2", "1"]},
        {"essential": True, "value": "1"},
        {"essential": True},
        {"values": ["2"]},
        None,
    ],
)
def test_an_acr_that_is_had_or_only_wished_for_stops_nobody(world: World, acr: dict[str, Any] | None) -> None:
    asked = json.dumps({"id_token": {"acr": acr}})
    tokens = App.registered(world).log_in(Person.signed_in(world), claims=asked)
    assert verified(world, tokens["id_token"])[1]["acr"] == "1"


@pytest.mark.parametrize(
    "claims",
    ['{"userinfo": {"email": null}, "verified_claims": []}', '{"userinfo": null}', '{"id_token": null, "x": 1}', "{}"],
)
def test_what_claims_says_beyond_what_there_is_stops_nobody(world: World, claims: str) -> None:
    assert "id_token" in App.registered(world).log_in(Person.signed_in(world), claims=claims)


def test_a_signed_userinfo_answer_is_no_hint(world: World) -> None:
    app, person = App.registered(world, userinfo_alg="RS256"), Person.signed_in(world)
    tokens = app.log_in(person)
    signed = world.http.get("/oauth/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}).text
    assert signed.startswith("ey")
    person.visit(logout_url(id_token_hint=signed))
    assert person.visit("/account").url.path == "/account", "still signed in"
    person.visit(logout_url(id_token_hint=tokens["id_token"]))
    assert person.visit("/account").url.path == "/sign-in"


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "EdDSA"])
def test_a_client_chooses_the_algorithm(world: World, algorithm: str) -> None:
    app = App.registered(world, id_token_alg=algorithm)
    header, _ = verified(world, app.log_in(Person.signed_in(world))["id_token"], algorithm)
    assert header["alg"] == algorithm


def test_a_refreshed_id_token_speaks_of_the_same_sign_in_without_the_nonce(world: World) -> None:
    app = App.registered(world)
    tokens = app.log_in(Person.signed_in(world))
    _, before = verified(world, tokens["id_token"])
    _, after = verified(world, app.refresh(tokens["refresh_token"]).json()["id_token"])
    assert after["auth_time"] == before["auth_time"]
    assert after["sub"] == before["sub"]
    assert "nonce" not in after


def test_an_id_token_is_no_access_token(world: World) -> None:
    tokens = App.registered(world).log_in(Person.signed_in(world))
    refused = userinfo(world, tokens["id_token"])
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")
    assert refused.headers["www-authenticate"].startswith("Bearer ")


def test_who_sends_no_token_hears_no_error_code(world: World) -> None:
    """RFC 6750, 3.1."""
    for answer in (world.http.get("/oauth/userinfo"), world.http.post("/oauth/userinfo")):
        assert (answer.status_code, answer.json()) == (401, {})
        assert answer.headers["www-authenticate"].startswith('Bearer realm="authsrv"')
        assert "error" not in answer.headers["www-authenticate"]


def test_userinfo_needs_openid(world: World) -> None:
    tokens = App.registered(world).log_in(Person.signed_in(world), scope="orders:read")
    refused = userinfo(world, tokens["access_token"])
    assert (refused.status_code, refused.json()["error"]) == (403, "insufficient_scope")
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]


def test_userinfo_is_signed_for_who_asks_for_it(world: World) -> None:
    app, person = App.registered(world), Person.signed_in(world)
    tokens = app.log_in(person, scope=ALL)
    signed = userinfo(world, tokens["access_token"], Accept="application/jwt")
    assert signed.headers["content-type"].startswith("application/jwt")
    _, claims = verified(world, signed.text)
    assert (claims["iss"], claims["aud"], claims["sub"]) == (world.url, app.credentials.client_id, str(person.user_id))


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/jwt;q=0, application/json", "application/json"),
        ("application/jwt; q=0.000", "application/json"),
        ("text/html, Application/JWT ;q=0.5", "application/jwt"),
        ("x-application/jwt", "application/json"),
    ],
)
def test_userinfo_is_signed_for_who_means_it(world: World, accept: str, kind: str) -> None:
    tokens = App.registered(world).log_in(Person.signed_in(world), scope=ALL)
    assert userinfo(world, tokens["access_token"], Accept=accept).headers["content-type"].startswith(kind)


def test_userinfo_answers_to_post_and_to_scripts_of_any_origin(world: World) -> None:
    tokens = App.registered(world).log_in(Person.signed_in(world))
    headers = {"Authorization": f"Bearer {tokens['access_token']}", "Origin": "https://app.example"}
    answer = world.http.post("/oauth/userinfo", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


def test_pairwise_subjects_differ_by_sector_and_stay_the_same_in_one(world: World) -> None:
    person = Person.signed_in(world)
    uris = ("https://one.example/cb", "https://two.example/cb")
    apps = [App.registered(world, subject_type="pairwise", redirect_uris=[uri]) for uri in (*uris, uris[0])]
    tokens = [app.log_in(person) for app in apps]
    subjects = [verified(world, one["id_token"])[1]["sub"] for one in tokens]
    assert subjects[0] == subjects[2] != subjects[1]
    assert str(person.user_id) not in subjects
    assert userinfo(world, tokens[0]["access_token"]).json()["sub"] == subjects[0]
    assert str(person.user_id) not in tokens[0]["access_token"]


@pytest.mark.parametrize("subject_type", ["public", "pairwise"])
def test_two_apps_cannot_compare_the_names_they_have_for_a_session(world: World, subject_type: str) -> None:
    person = Person.signed_in(world)
    uris = ("https://one.example/cb", "https://two.example/cb")
    apps = [App.registered(world, subject_type=subject_type, redirect_uris=[uri]) for uri in uris]
    names = [[verified(world, app.log_in(person)["id_token"])[1]["sid"] for _ in range(2)] for app in apps]
    assert names[0][0] == names[0][1] != names[1][0] == names[1][1]


def test_a_pairwise_apps_hint_signs_out_at_once(world: World) -> None:
    app, person = App.registered(world, subject_type="pairwise"), Person.signed_in(world)
    person.visit(logout_url(id_token_hint=app.log_in(person)["id_token"]))
    assert person.visit("/account").url.path == "/sign-in"


def test_a_hint_of_another_session_signs_nobody_out(world: World) -> None:
    app, person = App.registered(world), Person.signed_in(world)
    hint = app.log_in(person)["id_token"]
    person.visit("/sign-in")
    person.send(person.visit("/sign-out"), form=-1)

    def begin(unit: Unit) -> str:
        user = find_user_by_id(unit, person.user_id)
        assert user is not None
        return world.runtime.sessions.begin(unit, user, ("otp",), "", "")[0]

    person.browser.cookies.set("authsrv_session", world.transact(begin), domain="127.0.0.1")
    assert person.visit(logout_url(id_token_hint=hint)).status_code == 200
    assert person.visit("/account").url.path == "/account"


def test_max_age_and_prompt_login_ask_for_a_fresh_sign_in(world: World) -> None:
    app, person = App.registered(world), Person.signed_in(world)
    app.log_in(person)
    assert person.visit(app.authorize_url(prompt="login")).url.path == "/sign-in"
    assert person.visit(app.authorize_url(max_age="0")).url.path == "/sign-in"
    assert "code" in answer_in(person.visit(app.authorize_url(max_age="3600")))
    assert answer_in(person.visit(app.authorize_url(max_age="0", prompt="none")))["error"] == "login_required"


@pytest.mark.parametrize("token_format", ["jwt", "opaque"])
def test_a_token_does_not_tell_a_pairwise_app_who_the_person_is(world: World, token_format: str) -> None:
    app = App.registered(world, subject_type="pairwise", token_format=token_format)
    person = Person.signed_in(world)
    tokens = app.log_in(person)
    text = tokens["access_token"].removeprefix("at_")
    inside = b"".join(urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in text.split("."))
    assert str(person.user_id).encode() not in inside
    assert userinfo(world, tokens["access_token"]).status_code == 200


def logout_url(**query: str) -> str:
    return f"/oauth/logout?{urlencode(query)}"


def test_a_hint_signs_out_at_once_and_leads_back(world: World) -> None:
    app = App.registered(world, post_logout_redirect_uris=["https://app.example/bye"])
    person = Person.signed_in(world)
    tokens = app.log_in(person)
    url = logout_url(
        id_token_hint=tokens["id_token"], post_logout_redirect_uri="https://app.example/bye", state="so long"
    )
    left = person.visit(url)
    assert left.headers["location"] == "https://app.example/bye?state=so+long"
    assert person.visit("/account").url.path == "/sign-in"


def test_an_app_may_post_its_wish_and_the_session_on_the_server_ends(world: World) -> None:
    app, person = App.registered(world), Person.signed_in(world)
    hint = {"id_token_hint": app.log_in(person)["id_token"]}
    # From another site the browser sends no cookie along with a POST, only with the GET it is turned into.
    posted = world.http.post("/oauth/logout", data=hint)
    assert posted.status_code == 303
    assert "set-cookie" not in posted.headers
    assert person.visit(posted.headers["location"]).status_code == 200
    assert person.visit("/account").url.path == "/sign-in"


def test_another_site_cannot_make_a_browser_forget_its_session(world: World) -> None:
    for answer in (world.http.post("/oauth/logout"), world.http.get("/oauth/logout")):
        assert "authsrv_session" not in answer.headers.get("set-cookie", "")


def test_nobody_is_led_to_a_suspended_app(world: World) -> None:
    app = App.registered(world, post_logout_redirect_uris=["https://app.example/bye"])
    world.suspend(app.credentials)
    url = logout_url(client_id=app.credentials.client_id, post_logout_redirect_uri="https://app.example/bye")
    assert world.http.get(url).status_code == 400


def test_without_a_hint_a_page_asks(world: World) -> None:
    app = App.registered(world, post_logout_redirect_uris=["https://app.example/bye"])
    person = Person.signed_in(world)
    app.log_in(person)
    url = logout_url(client_id=app.credentials.client_id, post_logout_redirect_uri="https://app.example/bye")
    page = person.visit(url)
    assert page.status_code == 200
    assert any(name == "confirm" for name, _ in forms_of(page)[-1].buttons)
    assert person.visit("/account").url.path == "/account"
    left = person.send(page, form=-1, confirm="yes")
    assert left.headers["location"] == "https://app.example/bye"
    assert person.visit("/account").url.path == "/sign-in"


def test_another_persons_hint_signs_nobody_out(world: World) -> None:
    app = App.registered(world)
    tokens = app.log_in(Person.signed_in(world))
    person = Person.signed_in(world)
    assert person.visit(logout_url(id_token_hint=tokens["id_token"])).status_code == 200
    assert person.visit("/account").url.path == "/account"


def test_nobody_is_led_to_a_place_that_is_not_registered(world: World) -> None:
    app, person = App.registered(world), Person.signed_in(world)
    tokens = app.log_in(person)
    url = logout_url(id_token_hint=tokens["id_token"], post_logout_redirect_uri="https://evil.example/")
    assert person.visit(url).status_code == 400


def test_a_wish_that_says_a_thing_twice_is_refused(world: World) -> None:
    app = App.registered(world, post_logout_redirect_uris=["https://app.example/bye"])
    person = Person.signed_in(world)
    hint = app.log_in(person)["id_token"]
    url = logout_url(id_token_hint=hint, post_logout_redirect_uri="https://app.example/bye", state="a")
    refused = person.visit(f"{url}&state=b")
    assert refused.status_code == 400
    assert "two meanings" in refused.text
    assert person.visit("/account").url.path == "/account"
    assert person.visit(f"{url}&state=").headers["location"] == "https://app.example/bye?state=a"


def test_the_query_of_a_registered_uri_stays_to_the_letter(world: World) -> None:
    """RFC 6749, 3.1.2: it must be retained."""
    own = "x=b%20c&flag&s=%ff&a=1;b=2"
    uris = [f"https://app.example/cb?{own}", f"https://app.example/bye?{own}"]
    app = App.registered(world, redirect_uris=uris[:1], post_logout_redirect_uris=uris[1:])
    person = Person.signed_in(world)
    left = person.visit(
        logout_url(client_id=app.credentials.client_id, post_logout_redirect_uri=uris[1], state="so long")
    )
    assert person.send(left, form=-1, confirm="yes").headers["location"] == f"{uris[1]}&state=so+long"
    refused = world.http.get(app.authorize_url(redirect_uri=uris[0], prompt="none", state="s"))
    assert refused.headers["location"].startswith(f"{uris[0]}&error=login_required&")


def test_a_persons_token_sees_only_their_own_orders(world: World) -> None:
    store = world.add_store()
    app = App.registered(world, scope="openid orders:read", store=store.prefix)
    token = app.log_in(Person.signed_in(world), scope="openid orders:read")["access_token"]
    orders = world.http.get("/orders", headers={"Authorization": f"Bearer {token}"})
    assert (orders.status_code, orders.json()) == (200, [])
