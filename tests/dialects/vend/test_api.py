"""Section 5 of Vend's document: what a connected app reads in the store, and what it may not."""

import pytest

from tests.dialects.vend.tills import Till, at, retailer_of
from tests.engines import on_postgresql_alone
from tests.people import App, Person, forms_of
from tests.support.world import World


@pytest.fixture
def store(world: World) -> str:
    return world.add_store().prefix


def token_with(world: World, store: str, scope: str, role: str = "owner") -> str:
    """A token of the standard flow, not of this dialect's."""
    app = App.registered(world, scope=scope)
    person = Person.signed_in(world, stores=(store,), role=role, name="Nell")
    token: str = app.log_in(person, scope=scope)["access_token"]
    return token


def test_a_product_is_read_with_the_token_in_the_header(world: World, store: str) -> None:
    """5.1: "GET https://someprefix.vendhq.com/api/products/{id} Authorization: Bearer ..."."""
    till = Till.registered(world)
    token = till.connect(retailer_of(world, store), store)["access_token"]
    (product,) = till.get(store, "/api/products/A100", token).json()["products"]
    assert (product["id"], product["price"], product["currency"]) == ("A100", 14.0, "USD")
    missing = till.get(store, "/api/products/Z999", token)
    assert (missing.status_code, missing.json()["error"]) == (404, "not_found")
    assert till.get(store, "/api/products/%00", token).status_code == 404


@pytest.mark.parametrize("where", ["query", "nowhere", "wrong scheme", "made up"])
@on_postgresql_alone()
def test_without_the_token_in_the_header_nothing_is_read(world: World, store: str, where: str) -> None:
    """5.1: "by providing the access token in an Authorization header"."""
    till = Till.registered(world)
    token = till.connect(retailer_of(world, store), store)["access_token"]
    header = {"wrong scheme": f"Basic {token}", "made up": f"Bearer {token}x"}.get(where)
    answer = world.http.get(
        "/api/products/A100",
        params={"access_token": token} if where == "query" else {},
        headers={**at(store), **({"Authorization": header} if header else {})},
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert answer.headers["www-authenticate"].startswith("Bearer ")


def test_the_list_comes_in_pages(world: World, store: str) -> None:
    """The document names one product; the list and its pages are the platform's."""
    till = Till.registered(world)
    token = till.connect(retailer_of(world, store), store)["access_token"]
    pages = [till.get(store, f"/api/products?page={page}&page_size=1", token).json() for page in (1, 2, 3)]
    assert [[product["id"] for product in page["products"]] for page in pages] == [["A100"], ["B200"], []]
    assert pages[0]["pagination"] == {"results": 2, "page": 1, "page_size": 1, "pages": 2}
    whole = till.get(store, "/api/products", token).json()
    assert [product["id"] for product in whole["products"]] == ["A100", "B200"]


@pytest.mark.parametrize("query", ["page=0", "page=x", "page=²", "page_size=201", "page_size=", "page=1&page=2"])
@on_postgresql_alone()
def test_a_page_that_is_none_is_refused(world: World, store: str, query: str) -> None:
    """The document is silent; nothing is guessed."""
    till = Till.registered(world)
    token = till.connect(retailer_of(world, store), store)["access_token"]
    answer = till.get(store, f"/api/products?{query}", token)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("path", ["/api/products", "/api/products/A100", "/api/users"])
def test_a_token_of_one_store_opens_no_other(world: World, store: str, path: str) -> None:
    """5.1: "https://someprefix.vendhq.com"."""
    till = Till.registered(world)
    other = world.add_store().prefix
    token = till.connect(retailer_of(world, store, other), store)["access_token"]
    assert till.get(store, path, token).status_code == 200
    assert till.get(other, path, token).status_code == 403


def test_products_need_their_scope(world: World, store: str) -> None:
    """3.8: no scope is asked for, and what the app was registered with still bounds it."""
    till = Till.registered(world, scope="orders:read")
    token = till.connect(retailer_of(world, store), store)["access_token"]
    answer = till.get(store, "/api/products", token)
    assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")


def test_the_signed_in_retailer_stands_first_among_who_works_there(world: World, store: str) -> None:
    """What client libraries ask right after login."""
    others = [retailer_of(world, store, role=role, name=role) for role in ("owner", "staff", "staff")]
    Person.signed_in(world, stores=(store,))
    till = Till.registered(world, scope="products:read")
    for me in others:
        token = till.connect(me, store)["access_token"]
        users = till.get(store, "/api/users", token).json()["users"]
        assert users[0]["email"] == me.email
        assert users[0]["id"] == str(me.user_id)
        assert {user["email"] for user in users} == {person.email for person in others}
        assert all(user.keys() == {"id", "email", "display_name"} for user in users)


SHOWN = {
    "orders:read": set(),
    "email": {"email"},
    "profile": {"display_name"},
    "account:read": {"email", "display_name"},
}


@pytest.mark.parametrize("scope", SHOWN)
def test_who_was_not_told_of_it_shows_no_more_than_was_allowed(world: World, store: str, scope: str) -> None:
    """A token of another door sees its own person, as far as its scopes go."""
    Person.signed_in(world, stores=(store,), role="staff")
    till = Till.registered(world)
    (user,) = till.get(store, "/api/users", token_with(world, store, scope)).json()["users"]
    assert {name for name in ("email", "display_name") if user[name] is not None} == SHOWN[scope]


def test_who_only_buys_there_sees_nobody(world: World, store: str) -> None:
    till = Till.registered(world)
    answer = till.get(store, "/api/users", token_with(world, store, "account:read", role="customer"))
    assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")


def test_a_service_sees_nobody(world: World, store: str) -> None:
    service = world.add_client(store=store, scope="products:read")
    auth = (service.client_id, service.client_secret)
    token = world.http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=auth).json()["access_token"]
    till = Till.registered(world)
    assert till.get(store, "/api/users", token).status_code == 403
    assert till.get(store, "/api/products", token).status_code == 200


def test_what_is_revoked_at_the_account_is_over_here(world: World, store: str) -> None:
    """A grant made here is listed and ended where people look after all their apps."""
    till, me = Till.registered(world), retailer_of(world, store)
    tokens = till.connect(me, store)
    page = me.visit("/account")
    assert "Till" in page.text
    (form,) = [at for at, form in enumerate(forms_of(page)) if form.action.endswith("/account/apps")]
    me.send(page, form=form)
    assert till.get(store, "/api/users", tokens["access_token"]).status_code == 401
    assert till.refresh(store, tokens["refresh_token"]).json()["error"] == "invalid_grant"
