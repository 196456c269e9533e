"""Fixtures of the real servers; `tests/conftest.py` loads them by `pytest_plugins = ["tests.support.fixtures"]`.

One PostgreSQL cluster serves a whole run. Under xdist the controller names its folder, the first worker that needs it
starts it, and the controller stops it at the end; a test that breaks the database asks for `private_postgres`.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.support.pgbouncer import PgBouncer
from tests.support.postgres import PostgresCluster
from tests.support.redis import RedisServer
from tests.support.smtp import SmtpSink

RUN_FOLDER = pytest.StashKey[Path]()
RUN_PID = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Agree on where the run's cluster lives and whose end is its end."""
    workerinput: dict[str, Any] | None = getattr(config, "workerinput", None)
    if workerinput is None:
        # Not under pytest's own base folder: that one is closed to the user postgres.
        config.stash[RUN_FOLDER] = Path(tempfile.mkdtemp(prefix="authsrv-tests-", dir="/tmp"))
        config.stash[RUN_FOLDER].chmod(0o755)
        config.stash[RUN_PID] = os.getpid()
    else:
        config.stash[RUN_FOLDER] = Path(workerinput["authsrv_run_folder"])
        config.stash[RUN_PID] = workerinput["authsrv_run_pid"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are cores: outages and restarts are mostly waited for."""
    return (os.cpu_count() or 1) * 3 // 2


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """xdist's hook: tell a worker what the controller chose."""
    node.workerinput["authsrv_run_folder"] = str(node.config.stash[RUN_FOLDER])
    node.workerinput["authsrv_run_pid"] = node.config.stash[RUN_PID]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Only the process that began the run may end what its workers share."""
    if config.stash.get(RUN_PID, None) == os.getpid():
        folder = config.stash[RUN_FOLDER]
        if cluster := PostgresCluster.attach(folder):
            cluster.remove()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> PostgresCluster:
    """The run's shared cluster. Do not stop, pause or kill it."""
    folder = pytestconfig.stash[RUN_FOLDER]
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if running := PostgresCluster.attach(folder):
            return running
        return PostgresCluster.create(folder, owner_pid=pytestconfig.stash[RUN_PID])


@pytest.fixture
def private_postgres() -> Iterator[PostgresCluster]:
    """A cluster of the test's own, to stop, pause and kill."""
    with PostgresCluster.create() as cluster:
        yield cluster


@pytest.fixture
def postgres_url(postgres: PostgresCluster) -> Iterator[str]:
    """A fresh, empty database in the shared cluster."""
    name = f"test_{uuid4().hex}"
    postgres.create_database(name)
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture
def pgbouncer(postgres: PostgresCluster, tmp_path: Path) -> Iterator[PgBouncer]:
    """A transaction pooler before the shared cluster."""
    with PgBouncer(postgres, tmp_path) as pooler:
        yield pooler


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """An empty Redis of the test's own."""
    with RedisServer(tmp_path) as server:
        yield server


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    """A mailbox for everything that the test sends."""
    with SmtpSink() as sink:
        yield sink
