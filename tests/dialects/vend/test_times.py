"""How long a code and a token of Vend's document live, and what `expires` and `Retry-After` say of it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest

from tests.conftest import ENGINES
from tests.dialects.vend.tills import Till, retailer_of
from tests.support.world import ManualClock, World


@pytest.fixture(scope="module")
def hands() -> ManualClock:
    """The clock of the servers here; it only goes forward, so they can share it."""
    return ManualClock()


@pytest.fixture(scope="module", params=ENGINES)
def slow_world(
    request: pytest.FixtureRequest, new_database: Callable[[str], str], hands: ManualClock
) -> Iterator[World]:
    """A server whose time passes when it is told to."""
    limits = {"token_per_client": "3/minute", "api_per_credential": "3/minute"}
    world = World(new_database(request.param), clock=hands, database={"timeout_seconds": 20.0}, limits=limits)
    yield world
    world.close()


@pytest.fixture
def store(slow_world: World) -> str:
    return slow_world.add_store().prefix


@pytest.fixture
def till(slow_world: World) -> Till:
    return Till.registered(slow_world)


@pytest.mark.parametrize(("seconds", "status"), [(599, 200), (601, 400)])
def test_a_code_lives_ten_minutes(
    slow_world: World, hands: ManualClock, till: Till, store: str, seconds: int, status: int
) -> None:
    """4.6: "The code is a short-lived (10 minutes), single-use value."."""
    code = retailer_of(slow_world, store).allow(till.connect_url())["code"]
    hands.move(timedelta(seconds=seconds))
    assert till.redeem(store, code).status_code == status


def test_a_token_lives_a_day_and_says_until_when(slow_world: World, hands: ManualClock, till: Till, store: str) -> None:
    """4.8 to 4.10: "an absolute timestamp in seconds", "a relative time duration", "tokens expire in 24hrs"."""
    now = int(hands.now().timestamp())
    tokens = till.connect(retailer_of(slow_world, store), store)
    assert (tokens["expires_in"], tokens["expires"]) == (86_400, now + 86_400)
    hands.move(timedelta(seconds=86_398))
    assert till.get(store, "/api/users", tokens["access_token"]).status_code == 200
    hands.move(timedelta(seconds=3))
    assert till.get(store, "/api/users", tokens["access_token"]).status_code == 401
    refreshed = till.refresh(store, tokens["refresh_token"]).json()
    assert refreshed["expires"] == int(hands.now().timestamp()) + 86_400
    assert till.get(store, "/api/users", refreshed["access_token"]).status_code == 200


def test_who_asks_too_often_is_told_when_to_come_back_as_a_date(
    slow_world: World, hands: ManualClock, till: Till, store: str
) -> None:
    """The document is silent; the platform's own answer to 429 is a date (RFC 9110, 10.2.3)."""
    tokens = till.connect(retailer_of(slow_world, store), store)
    calls = [till.get(store, "/api/products", tokens["access_token"]) for _ in range(4)]
    refreshes = [till.refresh(store, "rt_none") for _ in range(4)]
    for refused in (calls[-1], refreshes[-1]):
        assert (refused.status_code, refused.json()["error"]) == (429, "rate_limited")
        back_at = parsedate_to_datetime(refused.headers["retry-after"])
        assert refused.headers["retry-after"].endswith(" GMT")
        assert timedelta(0) <= back_at - hands.now() + timedelta(seconds=1) <= timedelta(seconds=61)
    # Elsewhere it is a number of seconds.
    own = till.credentials
    form = {"grant_type": "refresh_token", "refresh_token": "rt_none"}
    elsewhere = slow_world.http.post("/oauth/token", data=form, auth=(own.client_id, own.client_secret))
    assert (elsewhere.status_code, elsewhere.headers["retry-after"].isdigit()) == (429, True)
    hands.move(timedelta(seconds=61))
    assert till.get(store, "/api/products", tokens["access_token"]).status_code == 200
