"""Sections 2 and 3 of Vend's document, sentence by sentence: the app, the retailer, and what comes back."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.dialects.vend.tills import CALLBACK, STATE, Till, retailer_of
from tests.flows.test_connected_stores import approve, fill
from tests.people import App, Person, answer_in, forms_of
from tests.support.world import World


@pytest.fixture
def store(world: World) -> str:
    return world.add_store().prefix


@pytest.fixture
def till(world: World) -> Till:
    return Till.registered(world)


def test_a_new_app_is_not_approved_and_can_be_used(world: World, till: Till, store: str) -> None:
    """2.3 and 2.4: "a newly created app is marked as Not Approved", "You can still use this app"."""
    retailer = retailer_of(world, store)
    page = retailer.visit(till.connect_url())
    assert "Not approved" in page.text
    assert answer_in(retailer.send(page, decision="allow")).keys() >= {"code"}


def test_the_thirty_first_store_is_refused_to_the_retailer_and_then_to_the_app(
    world: World, till: Till, store: str
) -> None:
    """2.5: "you can only connect your application to 30 Vend stores"."""
    first = retailer_of(world, store)
    tokens = till.connect(first, store)
    fill(world, till.credentials, 29)
    late = retailer_of(world, world.add_store().prefix)
    page = late.visit(till.connect_url())
    assert (page.status_code, "30 stores" in page.text) == (403, True)
    told = answer_in(late.send(page))
    assert (told["error"], told["state"]) == ("access_denied", STATE)
    assert "30 stores" in told["error_description"]
    assert "code" in answer_in(first.browser.get(till.connect_url()))
    assert till.refresh(store, tokens["refresh_token"]).status_code == 200


def test_an_approved_app_is_connected_to_more(world: World, till: Till) -> None:
    """2.6: "You only need to get our approval for production-ready, public applications."."""
    fill(world, till.credentials, 30)
    late = retailer_of(world, world.add_store().prefix)
    assert late.visit(till.connect_url()).status_code == 403
    approve(world, till.credentials)
    assert "code" in late.allow(till.connect_url())


def test_the_answer_is_code_prefix_and_state_and_nothing_else(world: World, till: Till, store: str) -> None:
    """2.2, 3.3 and 3.4: "an authorization code and the Retailer's domain prefix to the Redirect URI"."""
    retailer = retailer_of(world, store)
    left = retailer.send(retailer.visit(till.connect_url()), decision="allow")
    there, _, query = left.headers["location"].partition("?")
    assert there == CALLBACK
    names = [name for name, _ in parse_qsl(query)]
    assert names == ["code", "domain_prefix", "state"]
    assert answer_in(left)["domain_prefix"] == store


def test_a_second_time_the_answer_comes_without_asking_and_is_the_same(world: World, till: Till, store: str) -> None:
    """3.3: "Once the Retailer has authorized the application"."""
    retailer = retailer_of(world, store)
    first = retailer.allow(till.connect_url())
    left = retailer.browser.get(till.connect_url())
    assert left.status_code == 303
    again = answer_in(left)
    assert (again.keys(), again["domain_prefix"]) == (first.keys(), store)
    assert again["code"] != first["code"]


def test_what_was_allowed_at_another_door_is_no_leave_to_see_who_works_there(
    world: World, till: Till, store: str
) -> None:
    """The consent page of that door says nothing of it."""
    retailer = retailer_of(world, store)
    scope = "openid profile email offline_access products:read"
    App(world, till.credentials, is_public=False, redirect_uri=CALLBACK).log_in(retailer, scope=scope)
    assert retailer.visit(till.connect_url()).url.path == "/consent"
    retailer.allow(till.connect_url())
    assert "code" in answer_in(retailer.browser.get(till.connect_url()))


@pytest.mark.parametrize("state", [STATE, None], ids=["with a state", "without"])
def test_who_declines_sends_back_access_denied_and_the_state(
    world: World, till: Till, store: str, state: str | None
) -> None:
    """3.5: "{redirect_uri}?error=access_denied"."""
    retailer = retailer_of(world, store)
    left = retailer.send(retailer.visit(till.connect_url(state=state)), decision="deny")
    assert answer_in(left) == {"error": "access_denied", **({"state": state} if state else {})}


@pytest.mark.parametrize("state", [STATE, None], ids=["with a state", "without"])
def test_the_state_comes_back_as_it_was_given_or_not_at_all(
    world: World, till: Till, store: str, state: str | None
) -> None:
    """3.6: "The state parameter can be used to pass some arbitrary data"."""
    assert retailer_of(world, store).allow(till.connect_url(state=state)).get("state") == state


@pytest.mark.parametrize(
    "uri",
    [f"{CALLBACK}?a=b", f"{CALLBACK}/", CALLBACK.upper(), "https://evil.example/vend/callback"],
    ids=["with a parameter", "with a slash", "in capitals", "another"],
)
def test_another_redirect_uri_than_the_registered_is_shown_and_never_gone_to(
    world: World, till: Till, store: str, uri: str
) -> None:
    """3.2 and 3.7: "defined exactly as it was when creating your application, without any additional parameters"."""
    page = retailer_of(world, store).visit(till.connect_url(redirect_uri=uri))
    assert page.status_code == 400
    assert page.headers["content-type"].startswith("text/html")


def test_an_unknown_app_is_shown_as_a_page(world: World, till: Till, store: str) -> None:
    """2.1: "the client_id and the client_secret which are used to identify your applications"."""
    assert retailer_of(world, store).visit(till.connect_url(client_id="nobody")).status_code == 400


def test_no_scope_is_asked_and_the_apps_own_set_is_allowed(world: World, till: Till, store: str) -> None:
    """3.8: "Currently, the Vend API does not support scopes."."""
    tokens = till.connect(retailer_of(world, store), store)
    assert tokens["scope"] == "openid profile email offline_access products:read"


def test_no_proof_of_possession_is_asked_though_the_client_must_give_one_elsewhere(
    world: World, till: Till, store: str
) -> None:
    """3.1: the document's URL has no code_challenge."""
    retailer = retailer_of(world, store)
    elsewhere = retailer.visit(till.connect_url().replace("/connect", "/oauth/authorize"))
    assert answer_in(elsewhere)["error"] == "invalid_request"
    assert "code" in retailer.allow(till.connect_url())


def test_only_a_client_with_a_secret_is_connected(world: World, store: str) -> None:
    """2.1: "and are, therefore, required to complete the authorization process"."""
    public = world.add_client(type="spa", redirect_uris=[CALLBACK], scope="products:read")
    till = Till(world, public)
    assert answer_in(retailer_of(world, store).visit(till.connect_url()))["error"] == "unauthorized_client"


def test_the_retailer_signs_in_first_and_comes_back_to_the_same_question(world: World, till: Till, store: str) -> None:
    """3.1: "The Retailer (resource owner) needs to authorize your application to access their data."."""
    nobody = Person(world, "nobody@example.com").visit(till.connect_url())
    assert nobody.url.path == "/sign-in"
    # What follows the sign-in is in `next`; there the manner of this door is still known.
    (way_on,) = [value for name, value in forms_of(nobody)[0].fields if name == "next"]
    left = retailer_of(world, store)
    answer = left.allow(way_on)
    assert answer.keys() == {"code", "domain_prefix", "state"}
    assert answer["domain_prefix"] == store


def test_of_several_stores_the_retailer_picks_one_and_is_always_asked(world: World, till: Till, store: str) -> None:
    """3.3: "the Retailer's domain prefix"."""
    other = world.add_store().prefix
    retailer = retailer_of(world, store, other)
    for picked in (other, store, other):
        assert retailer.allow(till.connect_url(), store=picked)["domain_prefix"] == picked


def test_only_stores_that_the_person_runs_are_offered(world: World, till: Till, store: str) -> None:
    """3.1: "The Retailer (resource owner)": who buys there is none."""
    elsewhere = world.add_store().prefix
    customer = Person.signed_in(world, stores=(store, elsewhere))
    page = customer.visit(till.connect_url())
    assert (page.status_code, "You run no store here" in page.text) == (403, True)
    told = answer_in(customer.send(page))
    assert (told["error"], told["state"]) == ("access_denied", STATE)
    assert "runs no store" in told["error_description"]


@pytest.mark.parametrize("role", ["owner", "staff"])
def test_whoever_works_in_the_store_is_a_retailer(world: World, till: Till, store: str, role: str) -> None:
    """3.1: "The Retailer (resource owner)"."""
    assert retailer_of(world, store, role=role).allow(till.connect_url())["domain_prefix"] == store


def test_a_store_somebody_does_not_run_cannot_be_picked(world: World, till: Till, store: str) -> None:
    """3.1: "authorize your application to access their data"."""
    foreign = world.add_store().prefix
    retailer = retailer_of(world, store, world.add_store().prefix)
    page = retailer.send(retailer.visit(till.connect_url()), decision="allow", store=foreign)
    assert page.status_code == 400


def test_other_faults_go_back_to_the_app_with_a_reason(world: World, till: Till, store: str) -> None:
    """3.1: "response_type=code"; what else a fault is told by the document does not say."""
    left = retailer_of(world, store).visit(till.connect_url(response_type="token"))
    answer = answer_in(left)
    assert (answer["error"], answer["state"]) == ("unsupported_response_type", STATE)
    assert "error_description" in answer
    assert "iss" not in answer


def test_the_consent_page_says_what_a_connected_app_sees_of_the_store(world: World, till: Till, store: str) -> None:
    """3.8: where there are no scopes to read, the page says it in words."""
    page = retailer_of(world, store).visit(till.connect_url())
    assert "sees who works in the store" in page.text


def test_the_answers_url_holds_what_the_redirect_uri_held(world: World, store: str) -> None:
    """3.7: a query that was registered stays in front of the answer."""
    uri = f"{CALLBACK}?shop=1"
    till = Till.registered(world, redirect_uris=[uri])
    retailer = retailer_of(world, store)
    left = retailer.send(retailer.visit(till.connect_url(redirect_uri=uri)), decision="allow")
    query = dict(parse_qsl(urlsplit(left.headers["location"]).query))
    assert list(query) == ["shop", "code", "domain_prefix", "state"]
