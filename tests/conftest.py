"""Fixtures for all tests: one running server a worker and engine, shared; who breaks things makes one of their own."""

import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import cast
from uuid import uuid4

import pytest
import structlog
from hypothesis import settings as hypothesis_settings
from sqlmodel import Session, create_engine

from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.identifiers import Identifiers
from authsrv.routes import DIALECTS
from authsrv.storage.models import METADATA
from authsrv.storage.unit import Unit
from authsrv.web.doors import Dialect
from tests.support.databases import migrate_to_head, migrate_with_keys
from tests.support.postgres import PostgresCluster
from tests.support.world import ALONE, ManualClock, World

pytest_plugins = ["tests.support.fixtures"]

ENGINES = ("sqlite", "postgresql")
# The house's own API: most tests place their orders with it.
OWN_DIALECT = "order_api"
HOUSE_ALONE = [dialect for dialect in DIALECTS if cast("ModuleType", dialect).__name__.endswith(f".{OWN_DIALECT}")]

# A worker holds two servers and thousands of tests: looking through all that for cycles took a fifth of its time.
gc.set_threshold(100_000, 50, 100)

# A busy machine is no failure, and a run that fails must fail again for whoever looks into it.
hypothesis_settings.register_profile("house", deadline=None, derandomize=True, database=None)
hypothesis_settings.load_profile("house")

# What goes wrong is shown; structlog's own default would also draw every request in colour.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.KeyValueRenderer(),
    ],
    wrapper_class=structlog.make_filtering_bound_logger("WARNING"),
    # Not into what a command prints that runs in this process (tests/actors.py).
    logger_factory=structlog.PrintLoggerFactory(file=sys.__stderr__),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all-without-dialects",
        action="store_true",
        help="run all tests, not a selection, in the house whose dialects are gone (tests/rules/test_dialects_go.py)",
    )


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on what the server runs on."""
    return "asyncio"


@pytest.fixture(scope="session")
def new_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Makes a database on the engine that is named, migrated and with keys, and says its URL."""

    def make(engine: str) -> str:
        if engine == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('database') / 'authsrv.db'}"
        else:
            postgres: PostgresCluster = request.getfixturevalue("postgres")
            name = f"made_{uuid4().hex}"
            postgres.create_database(name)
            url = postgres.url(name)
        migrate_with_keys(url)
        return url

    return make


@pytest.fixture(scope="session")
def sqlite_world(new_database: Callable[[str], str]) -> Iterator[World]:
    """A running server on SQLite."""
    yield from _serve(new_database("sqlite"))


@pytest.fixture(scope="session")
def postgresql_world(new_database: Callable[[str], str]) -> Iterator[World]:
    """A running server on PostgreSQL, without the other platforms' dialects: what is tested here must not need them."""
    yield from _serve(new_database("postgresql"), HOUSE_ALONE)


@pytest.fixture(scope="session")
def dialects_postgresql_world(new_database: Callable[[str], str]) -> Iterator[World]:
    """A running server on PostgreSQL with all of them, for their own tests."""
    yield from _serve(new_database("postgresql"))


@pytest.fixture(params=ENGINES)
def world(request: pytest.FixtureRequest) -> World:
    """A running server, on each engine in turn. Make stores and clients of your own in it."""
    name = f"{request.param}_world"
    if request.param == "postgresql" and is_of_dialects(request.path):
        name = f"dialects_{name}"
    running: World = request.getfixturevalue(name)
    return running


@pytest.fixture
def sqlite_file(tmp_path: Path) -> str:
    """The URL of an empty, migrated SQLite database."""
    url = f"sqlite:///{tmp_path / 'authsrv.db'}"
    migrate_to_head(url)
    return url


@pytest.fixture(params=ENGINES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without any table, on each engine in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def clock() -> ManualClock:
    """A clock that moves when it is told to."""
    return ManualClock()


@pytest.fixture
def unit(clock: ManualClock) -> Iterator[Unit]:
    """What code below the seam gets, on a plain session and without an event loop."""
    engine = create_engine("sqlite://")
    METADATA.create_all(engine)
    unit = Unit(lambda: Session(engine, expire_on_commit=False), clock, Identifiers(clock, SystemEntropy()))
    yield unit
    unit.close()
    engine.dispose()


def is_of_dialects(path: Path) -> bool:
    """Whether this is a test of the other platforms' dialects, or of all dialects together."""
    head, *rest = path.relative_to(Path(__file__).parent).parts
    return head == "dialects" and rest[0] != OWN_DIALECT


def _serve(url: str, dialects: Sequence[Dialect] = DIALECTS) -> Iterator[World]:
    # Two cores run everything here at once: waiting is no fault of the server under test.
    # And all who test share one address and one server: its limits are tried out elsewhere.
    generous = {"token_per_client": "1000000/minute", "api_per_credential": "1000000/minute"}
    world = World(
        url,
        dialects,
        database={"timeout_seconds": 20.0},
        webhook_allow_loopback=True,
        customer_api={"allow_http": True},
        limits=generous,
        feed=ALONE,
        # What it asks the database would be counted with what a request asks; tidying is tried out elsewhere.
        pruning={"every_seconds": 3600.0},
    )
    yield world
    world.close()
