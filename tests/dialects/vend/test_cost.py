"""What Vend's paths may cost in SQL on a warm process: no more than the standard's own."""

from collections.abc import Callable

import httpx
import pytest

from tests.dialects.vend.tills import Till, retailer_of
from tests.people import Person
from tests.rules.test_statements import counted
from tests.support.world import World


@pytest.fixture
def store(world: World) -> str:
    return world.add_store().prefix


@pytest.fixture
def till(world: World) -> Till:
    return Till.registered(world)


@pytest.fixture
def retailer(world: World, store: str) -> Person:
    return retailer_of(world, store)


def cost(world: World, act: Callable[[], httpx.Response], *, at_most: int, status: int = 200) -> list[str]:
    """The statements by their verbs. What the process looks up again after news is not the request's, so it may try."""
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


def test_redeeming_a_code_is_one_write(world: World, till: Till, retailer: Person, store: str) -> None:
    codes = [retailer.allow(till.connect_url())["code"] for _ in range(6)]
    assert cost(world, lambda: till.redeem(store, codes.pop()), at_most=1) == ["UPDATE"]


def test_a_refresh_is_one_write(world: World, till: Till, retailer: Person, store: str) -> None:
    held = [till.connect(retailer, store)["refresh_token"]]

    def refresh() -> httpx.Response:
        answer = till.refresh(store, held[-1])
        held.append(answer.json()["refresh_token"])
        return answer

    assert cost(world, refresh, at_most=1) == ["UPDATE"]


def test_connecting_again_is_three_statements(world: World, till: Till, retailer: Person) -> None:
    retailer.allow(till.connect_url())
    url = till.connect_url()
    assert cost(world, lambda: retailer.browser.get(url), at_most=3, status=303) == ["SELECT", "SELECT", "INSERT"]


def test_a_product_and_the_users_are_one_statement_each(world: World, till: Till, retailer: Person, store: str) -> None:
    token = till.connect(retailer, store)["access_token"]
    for path in ("/api/products/A100", "/api/users"):
        assert cost(world, lambda path=path: till.get(store, path, token), at_most=1) == ["SELECT"]  # type: ignore[misc]
