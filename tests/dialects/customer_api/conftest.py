"""Customers: one of the test's own, and one whom all tests share that leave everything as it was."""

import pytest

from tests.conftest import ENGINES
from tests.dialects.customer_api.shopper import Shopper
from tests.support.world import World


@pytest.fixture
def shopper(world: World) -> Shopper:
    """Somebody in a store of their own, on each engine in turn."""
    return Shopper.allowed(world)


@pytest.fixture(scope="session")
def sqlite_regular(sqlite_world: World) -> Shopper:
    return Shopper.allowed(sqlite_world)


@pytest.fixture(scope="session")
def postgresql_regular(dialects_postgresql_world: World) -> Shopper:
    return Shopper.allowed(dialects_postgresql_world)


@pytest.fixture(params=ENGINES)
def regular(request: pytest.FixtureRequest) -> Shopper:
    """Somebody known, for what is refused or only looked at; they order nothing."""
    somebody: Shopper = request.getfixturevalue(f"{request.param}_regular")
    return somebody
