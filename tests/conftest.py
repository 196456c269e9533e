"""Fixtures for all tests: one running server a worker and engine, shared; who breaks things makes one of their own."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from authsrv.kit.clock import SystemClock
from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.identifiers import Identifiers
from authsrv.operations.schema import migrate
from authsrv.storage.database import Database
from tests.support.postgres import PostgresCluster
from tests.support.world import World

pytest_plugins = ["tests.support.fixtures"]

ENGINES = ("sqlite", "postgresql")


@pytest.fixture(scope="session", params=ENGINES)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A running server, on each engine in turn. Make stores and clients of your own in it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('world') / 'authsrv.db'}"
    else:
        cluster: PostgresCluster = request.getfixturevalue("postgres")
        name = f"world_{request.config.getoption('testrunuid', '')}_{_worker(request)}".lower()
        cluster.create_database(name)
        url = cluster.url(name)
    migrate_to_head(url)
    world = World(url)
    yield world
    world.close()


@pytest.fixture
def sqlite_file(tmp_path: Path) -> str:
    """The URL of an empty, migrated SQLite database."""
    url = f"sqlite:///{tmp_path / 'authsrv.db'}"
    migrate_to_head(url)
    return url


def migrate_to_head(url: str) -> None:
    """`authsrv migrate` without a process."""

    async def go() -> None:
        clock = SystemClock()
        database = Database(url, clock=clock, identifiers=Identifiers(clock, SystemEntropy()))
        await database.start()
        await migrate(database)
        await database.close()

    asyncio.run(go())


def _worker(request: pytest.FixtureRequest) -> str:
    return str(getattr(request.config, "workerinput", {}).get("workerid", "main"))
