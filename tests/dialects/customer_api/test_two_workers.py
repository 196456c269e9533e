"""What is taken back in one worker stops in every other within a second."""

import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from authsrv.identity.customer_api import get_customer, revoke_password
from tests.dialects.customer_api.shopper import Shopper
from tests.support.databases import migrate_with_keys
from tests.support.traffic import last_granted
from tests.support.world import World


@pytest.fixture
def pair(empty_url: str) -> Iterator[tuple[World, World]]:
    """Two servers on one database, which serve one issuer."""
    migrate_with_keys(empty_url)
    one = World(empty_url, customer_api={"allow_http": True})
    two = World(empty_url, customer_api={"allow_http": True}, issuer=one.url)
    yield one, two
    two.close()
    one.close()


def revoke(shopper: Shopper) -> None:
    customer = shopper.world.transact(lambda unit: get_customer(unit, shopper.person.email, shopper.prefix))
    shopper.world.transact(lambda unit: revoke_password(unit, customer, actor="test"))


DEEDS: dict[str, Callable[[Shopper], None]] = {
    "withdrawn": Shopper.withdraw,
    "revoked": revoke,
    "replaced": Shopper.make_password,
}


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS.keys())
def test_a_living_token_stops_at_once_here_and_within_a_second_elsewhere(
    pair: tuple[World, World], deed: Callable[[Shopper], None]
) -> None:
    """Sentence 18. The Order API reads no permission: there the feed alone tells."""
    here, elsewhere = pair
    shopper = Shopper.allowed(here)
    before, headers = shopper.pair, shopper.bearer

    def use(world: World) -> httpx.Response:
        return world.http.get("/orders", headers=headers)

    def ask_for_token() -> httpx.Response:
        form = {"grant_type": "client_credentials", **before}
        return elsewhere.http.post("/oauth/token", data=form)

    assert use(elsewhere).status_code == use(here).status_code == 200
    assert ask_for_token().status_code == 200
    deed(shopper)
    done_at = time.monotonic()
    assert use(here).status_code == 401
    assert last_granted(lambda: use(elsewhere).status_code, done_at) < 1.0
    assert ask_for_token().status_code == 401
