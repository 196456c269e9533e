"""Shops on a server that keeps its mails where the tests can read them."""

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import ENGINES
from tests.dialects.storefront.shopper import Shop
from tests.support.world import ALONE, World

# Everybody here calls from the same address; the limits have a test of their own.
_NO_LIMITS = {
    "sign_in_per_address": "off",
    "sign_in_per_store": "off",
    "sign_in_per_email": "off",
    "token_per_client": "off",
    "api_per_credential": "off",
}


@pytest.fixture(scope="session")
def sqlite_mall(new_database: Callable[[str], str]) -> Iterator[World]:
    yield from _open(new_database("sqlite"))


@pytest.fixture(scope="session")
def postgresql_mall(new_database: Callable[[str], str]) -> Iterator[World]:
    yield from _open(new_database("postgresql"))


@pytest.fixture(params=ENGINES)
def mall(request: pytest.FixtureRequest) -> World:
    """A server for many shops, on each engine in turn."""
    running: World = request.getfixturevalue(f"{request.param}_mall")
    return running


@pytest.fixture
def shop(mall: World) -> Shop:
    """A shop of the test's own, on each engine in turn."""
    return Shop.opened(mall)


@pytest.fixture
def corner_shop(sqlite_mall: World) -> Shop:
    """The same on SQLite alone, for what has nothing to do with the database."""
    return Shop.opened(sqlite_mall)


def _open(url: str) -> Iterator[World]:
    limits = dict(_NO_LIMITS)
    database = {"timeout_seconds": 20.0}
    world = World(url, mail_url="outbox:", limits=limits, database=database, webhook_allow_loopback=True, feed=ALONE)
    yield world
    world.close()
