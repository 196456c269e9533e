"""A server where anybody may register an app, shared by the tests beside this."""

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import ENGINES
from tests.registering import NO_LIMIT
from tests.support.world import ALONE, World


@pytest.fixture(scope="session")
def sqlite_open(new_database: Callable[[str], str]) -> Iterator[World]:
    yield from _serve(new_database("sqlite"))


@pytest.fixture(scope="session")
def postgresql_open(new_database: Callable[[str], str]) -> Iterator[World]:
    yield from _serve(new_database("postgresql"))


@pytest.fixture(params=ENGINES)
def world(request: pytest.FixtureRequest) -> World:
    """A server where anybody may register an app, on each engine in turn."""
    running: World = request.getfixturevalue(f"{request.param}_open")
    return running


def _serve(url: str) -> Iterator[World]:
    world = World(url, registration="open", limits=NO_LIMIT, feed=ALONE)
    yield world
    world.close()
