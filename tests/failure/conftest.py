"""Servers as processes on databases that may break, and a demo shop with two workers on each engine."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.pgbouncer import PgBouncer
from tests.support.postgres import PostgresCluster
from tests.support.server import ServerProcess, run_cli
from tests.support.traffic import settings_of

Shops = Callable[[str], ServerProcess]
ENGINES = ("sqlite", "postgresql", "pgbouncer")


@pytest.fixture(params=ENGINES[:2])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty, migrated database on each engine in turn."""
    with _database(request, request.param, tmp_path) as url:
        yield url


@pytest.fixture(scope="module")
def breakable_postgres() -> Iterator[PostgresCluster]:
    """A cluster of the module's own, to stop, pause and kill."""
    with PostgresCluster.create() as cluster:
        yield cluster


@pytest.fixture
def breakable_url(breakable_postgres: PostgresCluster, tmp_path: Path) -> Iterator[str]:
    """An empty, migrated database in that cluster."""
    name = f"shop_{uuid4().hex}"
    breakable_postgres.create_database(name)
    url = breakable_postgres.url(name)
    migrate(url, tmp_path)
    yield url
    breakable_postgres.drop_database(name)


@pytest.fixture(scope="session")
def shops(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shops]:
    """The demo shop with two workers on an engine, migrated and served through the same URL; one for the whole run."""
    running: dict[str, ServerProcess] = {}
    with ExitStack() as stack:

        def open_shop(engine: str) -> ServerProcess:
            if engine not in running:
                folder = tmp_path_factory.mktemp("shop")
                url = stack.enter_context(_database(request, engine, folder))
                server = ServerProcess(folder, settings_of(url), "--demo", "--workers", "2")
                running[engine] = stack.enter_context(server)
            return running[engine]

        yield open_shop


@pytest.fixture(params=ENGINES)
def shop(request: pytest.FixtureRequest, shops: Shops) -> ServerProcess:
    """The shop on each engine in turn."""
    return shops(request.param)


def migrate(url: str, folder: Path) -> None:
    """What an operator does before the first start."""
    finished = run_cli("migrate", env=settings_of(url), cwd=folder)
    assert finished.exit_code == 0, finished.stderr


@contextmanager
def _database(request: pytest.FixtureRequest, engine: str, folder: Path) -> Iterator[str]:
    """The URL of a migrated database of that kind, for a while."""
    if engine == "sqlite":
        url = f"sqlite:///{folder / 'authsrv.db'}"
        migrate(url, folder)
        yield url
        return
    cluster: PostgresCluster = request.getfixturevalue("postgres")
    name = f"shop_{uuid4().hex}"
    cluster.create_database(name)
    try:
        if engine == "pgbouncer":
            with PgBouncer(cluster, folder) as pooler:
                migrate(pooler.url(name), folder)
                yield pooler.url(name)
        else:
            migrate(cluster.url(name), folder)
            yield cluster.url(name)
    finally:
        cluster.drop_database(name)
