"""Two servers that start at once agree; one that is told to stop finishes what it took on, and does stop."""

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest

from tests.support.pgbouncer import PgBouncer
from tests.support.ports import LOOPBACK, free_port
from tests.support.postgres import PostgresCluster
from tests.support.server import ServerProcess, run_cli
from tests.support.traffic import BROKEN, SECRET_KEY, Answer, Caller, Load, order_of, settings_of, wait_until

DRAIN_SECONDS = 2


@pytest.mark.parametrize("secret_keys", ["", SECRET_KEY], ids=["secret-of-its-own", "secret-set"])
def test_two_servers_that_start_at_once_on_an_empty_sqlite_file_agree(tmp_path: Path, secret_keys: str) -> None:
    """One set of keys, one demo shop and one secret, whoever came first."""
    settings = settings_of(f"sqlite:///{tmp_path / 'var' / 'authsrv.db'}", secret_keys=secret_keys)
    first, second = start_two(tmp_path, settings)
    with first, second:
        assert_they_agree(first, second)
        made = [path.name for path in (tmp_path / "var").iterdir() if "secret" in path.name]
        assert made == ([] if secret_keys else ["secret_keys"])
        with sqlite3.connect(tmp_path / "var" / "authsrv.db") as database:
            assert database.execute("SELECT count(*) FROM store").fetchone() == (1,)
            assert database.execute("SELECT count(*) FROM signing_key").fetchone() == (3,)
        database.close()


def test_two_servers_that_start_at_once_on_an_empty_postgresql_database_agree(
    postgres_url: str, tmp_path: Path
) -> None:
    settings = settings_of(postgres_url)
    assert_two_migrations_are_one(tmp_path, settings)
    first, second = start_two(tmp_path, settings)
    with first, second:
        assert_they_agree(first, second)


def test_two_migrations_at_once_through_a_pooler_are_one(
    postgres: PostgresCluster, pgbouncer: PgBouncer, tmp_path: Path
) -> None:
    name = f"pooled_{free_port()}"
    postgres.create_database(name)
    try:
        assert_two_migrations_are_one(tmp_path, settings_of(pgbouncer.url(name)))
    finally:
        pgbouncer.stop()
        postgres.drop_database(name)


@pytest.mark.parametrize("workers", ["1", "2"], ids=["one-worker", "two-workers"])
def test_a_server_told_to_stop_finishes_what_it_took_on(database_url: str, tmp_path: Path, workers: str) -> None:
    """An order that was placed was answered: nobody is left without word of what happened."""
    settings = settings_of(database_url)
    with ServerProcess(tmp_path, settings, "--demo", "--workers", workers) as server:
        caller = Caller(server.port)
        token = caller.get_token()
        answered: list[Answer] = []
        unanswered: list[str] = []

        def work(thread: int, turn: int) -> None:
            customer_id = f"{thread}-{turn}"
            try:
                answered.append(caller.place(token, customer_id))
            except BROKEN:
                unanswered.append(customer_id)
                # The port is closed: nothing more to ask.
                time.sleep(0.2)

        with Load(work, threads=6):
            wait_until(lambda: len(answered) > 10, 20, "orders in full flow")
            assert server.stop() == 0
    assert {answer.status for answer in answered} == {201}
    with ServerProcess(tmp_path, settings, "--demo", port=server.port) as again:
        caller = Caller(again.port)
        placed = int(caller.list_orders(token, "limit=1").headers["x-total-count"])
        lost = [one for one in unanswered if caller.list_orders(token, f"customer_id={one}").json()]
    assert lost == []
    assert placed == len(answered)


@pytest.mark.parametrize("workers", ["1", "2"], ids=["one-worker", "two-workers"])
def test_nobody_can_keep_a_server_from_stopping(tmp_path: Path, workers: str) -> None:
    """A request that never ends, idle connections, and a second SIGTERM: it ends in its drain time, with success."""
    settings = settings_of(f"sqlite:///{tmp_path / 'authsrv.db'}", http__drain_seconds=str(DRAIN_SECONDS))
    with ServerProcess(tmp_path, settings, "--demo", "--workers", workers) as server:
        caller = Caller(server.port)
        token = caller.get_token()
        idle = [HTTPConnection(LOOPBACK, server.port) for _ in range(3)]
        for connection in idle:
            connection.connect()
        endless = HTTPConnection(LOOPBACK, server.port)
        body = order_of("12345")
        endless.putrequest("POST", "/orders")
        for name, value in {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
        }.items():
            endless.putheader(name, value)
        endless.endheaders(body[:10])
        time.sleep(0.3)
        began = time.monotonic()
        again = threading.Timer(0.5, psutil.Process(server.pid).terminate)
        again.start()
        assert server.stop() == 0
        again.join()
        assert time.monotonic() - began < DRAIN_SECONDS + 6
        for connection in (*idle, endless):
            connection.close()


def test_a_worker_that_cannot_start_ends_the_server_with_a_failure(tmp_path: Path) -> None:
    """A supervisor that says all went well would be restarted by nobody."""
    settings = settings_of(f"sqlite:///{tmp_path / 'authsrv.db'}", database__start_seconds="0")
    with ServerProcess(tmp_path, settings, "--demo", "--workers", "2") as server:
        (tmp_path / "authsrv.db").write_bytes(b"not a database" * 1000)
        for ending in ("-wal", "-shm"):
            (tmp_path / f"authsrv.db{ending}").unlink(missing_ok=True)
        psutil.Process(server.workers()[0]).kill()
        wait_until(lambda: not server.is_running(), 60, "the end of the server")
        assert server.exit_code == 1


def start_two(folder: Path, settings: dict[str, str]) -> tuple[ServerProcess, ServerProcess]:
    """Two demo servers of one issuer, started in the same moment."""
    ports = (free_port(), free_port())
    shared = {**settings, "AUTHSRV_ISSUER": f"http://127.0.0.1:{ports[0]}"}
    with ThreadPoolExecutor() as pool:
        started = [pool.submit(ServerProcess, folder, shared, "--demo", port=port) for port in ports]
    return started[0].result(), started[1].result()


def assert_they_agree(first: ServerProcess, second: ServerProcess) -> None:
    callers = [Caller(server.port) for server in (first, second)]
    keys = [{key["kid"] for key in caller.call("GET", "/oauth/jwks").json()["keys"]} for caller in callers]
    assert keys[0] == keys[1]
    assert len(keys[0]) == 3
    # The secret that one shows opens the other, and so does a token.
    shown = first.log().partition("-u '")[2].partition("'")[0].partition(":")
    for maker, reader in (callers, reversed(callers)):
        token = Caller(maker.port, client_id=shown[0], client_secret=shown[2]).get_token()
        order = reader.place(token)
        assert order.status == 201
        assert maker.read(token, order.json()["order_id"]).status == 200


def assert_two_migrations_are_one(folder: Path, settings: dict[str, str]) -> None:
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(run_cli, "migrate", "--json", env=settings, cwd=folder) for _ in range(2)]
    results = [run.result() for run in runs]
    assert [result.exit_code for result in results] == [0, 0], [result.stderr for result in results]
    assert run_cli("migrate", "--json", env=settings, cwd=folder).json() == {"migrated": False}
