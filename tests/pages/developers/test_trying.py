"""Try it: the app's own flow in the browser, to a redirect URI of ours that serves this one trial and nothing else."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from authsrv.storage.clients import find_client, save_client
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_membership
from tests.people import answer_in, forms_of
from tests.portal import Developer, Made, join
from tests.support.world import World


@pytest.fixture
def developer(sqlite_world: World) -> Developer:
    return Developer.signed_in(sqlite_world)


def begin(developer: Developer, app: Made, **typed: object) -> str:
    """Where the trial sends the browser first."""
    page = developer.visit(f"{app.path}/try")
    token = dict(forms_of(page)[1].fields)["csrf_token"]
    answer = developer.browser.post(f"{app.path}/try", data={"csrf_token": token, **typed})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def try_it(developer: Developer, app: Made) -> str:
    """The page at the end of a whole trial."""
    page = developer.send(developer.visit(begin(developer, app)), decision="allow")
    assert page.status_code == 200
    return page.text


@pytest.mark.parametrize("kind", ["web", "spa", "native"])
def test_every_request_and_answer_is_shown_and_every_token_is_void(developer: Developer, kind: str) -> None:
    world = developer.world
    app = developer.create(type=kind, scope=["openid", "offline_access", "orders:read"])
    text = try_it(developer, app)
    assert text.count("Answer 200") >= 2
    for shown in ("code_challenge", "code_verifier", "The app asks for tokens", "Later, the app refreshes", "at+jwt"):
        assert shown in text
    tokens = re.findall(r"&#34;access_token&#34;: &#34;([^&]+)&#34;", text)
    assert len(set(tokens)) == 2
    for token in tokens:
        assert world.http.get("/oauth/userinfo", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    # It leaves nothing behind: no app at the account, and the next sign-in asks as if it had never been.
    assert "Parcels" not in developer.visit("/account").text
    assert "tried out" in developer.visit(f"{app.path}/events").text


def test_who_tries_an_app_out_becomes_nobodys_customer(developer: Developer) -> None:
    world = developer.world
    store, app = world.add_store(), developer.create()

    def tie(unit: Unit) -> None:
        client = find_client(unit, app.client_id)
        assert client is not None
        client.store_id = store.id
        save_client(unit, client)

    world.transact(tie)
    assert "A shop" in developer.visit(begin(developer, app)).text
    try_it(developer, app)
    assert world.transact(lambda unit: find_membership(unit, store_id=store.id, user_id=developer.user_id)) is None


def test_a_service_gets_its_token_at_once(sqlite_world: World) -> None:
    store = sqlite_world.add_store()
    owner = Developer.signed_in(sqlite_world, stores=(store.prefix,), role="owner")
    app = owner.create(type="service", store=store.prefix)
    page = owner.do(app, "/try", at="/try")
    assert "Answer 200" in page.text
    token = re.findall(r"&#34;access_token&#34;: &#34;([^&]+)&#34;", page.text)[0]
    assert sqlite_world.http.get("/orders", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_denial_is_shown_too(developer: Developer) -> None:
    app = developer.create()
    page = developer.send(developer.visit(begin(developer, app)), decision="deny")
    assert "access_denied" in page.text
    assert "code_verifier" not in page.text


def test_our_redirect_uri_serves_nobody_but_the_trial(developer: Developer) -> None:
    """Neither another person, nor another app, nor another request of the same person."""
    app, other = developer.create(), developer.create(name="Other")
    url = begin(developer, app)
    thief = Developer.signed_in(developer.world)
    assert thief.visit(url).status_code == 400
    assert _changed(developer, url, client_id=other.client_id) == 400
    assert _changed(developer, url, state="another") == 400
    assert _changed(developer, url, code_challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM") == 400
    assert _changed(developer, url, redirect_uri=_callback(url) + "/more") == 400
    assert _changed(developer, url, response_mode="form_post") == 400
    # The request itself is still good, in the browser that began it.
    assert developer.visit(url).status_code == 200


def test_without_a_trial_the_redirect_uri_is_unknown(developer: Developer) -> None:
    app = developer.create()
    url = begin(developer, app)
    developer.browser.cookies.delete("authsrv_trial")
    assert developer.visit(url).status_code == 400


def test_who_is_no_admin_any_more_ends_no_trial(developer: Developer) -> None:
    app = developer.create()
    second = Developer.signed_in(developer.world)
    join(developer.world, app, second, "admin")
    url = begin(second, app)
    developer.do(app, "/team/role", at="/team", member=str(second.user_id), role="viewer")
    assert second.visit(url).status_code == 400


def test_a_code_of_somebody_else_is_not_redeemed(developer: Developer) -> None:
    """What an attacker puts into the callback fits neither the state nor the verifier (RFC 9700, 4.5)."""
    app = developer.create()
    url = begin(developer, app)
    state = parse_qs(urlsplit(url).query)["state"][0]
    foreign = developer.create(name="Foreign")
    given = answer_in(developer.send(developer.visit(_own_request(foreign)), decision="allow"))["code"]
    injected = developer.visit(f"/developers/try/callback?{urlencode({'code': given, 'state': state})}")
    assert "invalid_grant" in injected.text
    assert "access_token" not in injected.text
    over = developer.visit(f"/developers/try/callback?{urlencode({'code': given, 'state': 'mine'})}")
    assert "The trial is over" in over.text


def _own_request(app: Made) -> str:
    query = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": "https://parcels.example/back",
        "scope": "openid",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    return f"/oauth/authorize?{urlencode(query)}"


def _callback(url: str) -> str:
    return parse_qs(urlsplit(url).query)["redirect_uri"][0]


def _changed(developer: Developer, url: str, **changed: str) -> int:
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    return developer.visit(f"/oauth/authorize?{urlencode({**query, **changed})}").status_code
