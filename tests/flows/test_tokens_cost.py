"""What the code flow may cost in SQL on a warm process."""

from collections.abc import Callable

import httpx
import pytest

from tests.people import App, Person
from tests.rules.test_statements import counted
from tests.support.world import World


@pytest.fixture(params=["web", "spa"])
def app(request: pytest.FixtureRequest, world: World) -> App:
    """With a scope that no consent page comes back for: `offline_access` of a public client is asked for each time."""
    return App.registered(world, kind=request.param)


@pytest.fixture
def person(world: World) -> Person:
    return Person.signed_in(world)


def cost_of(world: World, act: Callable[[], httpx.Response], *, at_most: int, status: int = 200) -> list[str]:
    """The statements by their verb. What the process looks up again after news is not the request's, so it may try."""
    verbs: list[str] = []
    for _ in range(5):
        world.http.get("/readyz")
        with counted(world) as statements:
            answer = act()
        assert answer.status_code == status, answer.text
        verbs = [statement.partition(" ")[0] for statement in statements]
        if len(verbs) <= at_most:
            break
    return verbs


def code_for(app: App, person: Person) -> str:
    return person.allow(app.authorize_url(scope="orders:read"))["code"]


def test_redeeming_a_code_is_one_write(world: World, app: App, person: Person) -> None:
    codes = [code_for(app, person) for _ in range(6)]
    assert cost_of(world, lambda: app.redeem(codes.pop()), at_most=1) == ["UPDATE"]


def test_a_refresh_is_one_write(world: World, app: App, person: Person) -> None:
    held = [app.log_in(person, scope="orders:read")["refresh_token"]]

    def refresh() -> httpx.Response:
        answer = app.refresh(held[-1])
        held.append(answer.json()["refresh_token"])
        return answer

    assert cost_of(world, refresh, at_most=1) == ["UPDATE"]


def test_only_a_refusal_reads(world: World, app: App, person: Person) -> None:
    token = app.log_in(person, scope="orders:read")["refresh_token"]
    app.refresh(app.refresh(token).json()["refresh_token"])
    assert app.refresh(token).status_code == 400
    assert cost_of(world, lambda: app.refresh(token), at_most=2, status=400) == ["UPDATE", "SELECT"]
    assert cost_of(world, lambda: app.refresh("rt_AAAA"), at_most=0, status=400) == []


def test_revoking_an_access_token_is_one_write(world: World, app: App, person: Person) -> None:
    tokens = [app.redeem(code_for(app, person)).json()["access_token"] for _ in range(6)]

    def revoke() -> httpx.Response:
        own = app.credentials
        named = {"client_id": own.client_id, "client_secret": "" if app.is_public else own.client_secret}
        return world.http.post("/oauth/revoke", data={"token": tokens.pop(), **named})

    assert cost_of(world, revoke, at_most=1) == ["INSERT"]


def test_revoking_a_refresh_token_is_one_statement(world: World, app: App, person: Person) -> None:
    tokens = [app.log_in(person, scope="orders:read")["refresh_token"] for _ in range(6)]

    def revoke() -> httpx.Response:
        own = app.credentials
        named = {"client_id": own.client_id, "client_secret": "" if app.is_public else own.client_secret}
        return world.http.post("/oauth/revoke", data={"token": tokens.pop(), **named})

    # SQLite cannot write to three tables at once: the row, the feed, the audit log.
    steps = ["UPDATE", "INSERT", "INSERT"] if world.database.is_sqlite else ["WITH"]
    assert cost_of(world, revoke, at_most=len(steps)) == steps


@pytest.mark.parametrize("stores", [0, 1], ids=["a person of no store", "a customer"])
def test_authorizing_again_is_three_statements(world: World, app: App, stores: int) -> None:
    person = Person.signed_in(world, stores=tuple(world.add_store().prefix for _ in range(stores)))
    code_for(app, person)
    url = app.authorize_url(scope="orders:read")
    # The session, what was allowed before, and the grant.
    cost = cost_of(world, lambda: person.browser.get(url), at_most=3, status=303)
    assert cost == ["SELECT", "SELECT", "INSERT"]


def test_userinfo_asks_for_the_claims_alone(world: World, app: App, person: Person) -> None:
    token = app.log_in(person, scope="openid email", prompt="consent")["access_token"]

    def ask() -> httpx.Response:
        return world.http.get("/oauth/userinfo", headers={"Authorization": f"Bearer {token}"})

    assert cost_of(world, ask, at_most=1) == ["SELECT"]
    broken = {"Authorization": f"Bearer {token[:-4]}AAAA"}
    assert cost_of(world, lambda: world.http.get("/oauth/userinfo", headers=broken), at_most=0, status=401) == []
