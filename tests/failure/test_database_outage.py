"""The database goes away and comes back: 503 in bounded time, nothing guessed, and nobody has to restart anything."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.support.postgres import PostgresCluster
from tests.support.server import ServerProcess
from tests.support.traffic import Answer, Caller, Load, callers_of_each_worker, settings_of, wait_until
from tests.support.wire import Wire

OUTAGE_SECONDS = 1.5
TRANSACTION_SECONDS = 1.0
# A transaction's time to give up, the same again to let go of its connection, and air for a busy machine.
LONGEST_ANSWER_SECONDS = 2 * TRANSACTION_SECONDS + 2
# What was known is answered from for that long, and not a moment more (`feed.max_age_seconds`).
KNOWN_FOR_SECONDS = 1.0
RECOVERY_SECONDS = 20.0
STOP_SECONDS = 10.0
WAITING = "start waits for the database"

Asking = Callable[[], Answer]


@pytest.mark.parametrize("workers", ["1", "2"], ids=["one-worker", "two-workers"])
def test_an_outage_is_503_in_bounded_time_and_heals_by_itself(
    breakable_url: str, breakable_postgres: PostgresCluster, tmp_path: Path, workers: str
) -> None:
    settings = settings_of(breakable_url, database__timeout_seconds=str(TRANSACTION_SECONDS))
    with ServerProcess(tmp_path, settings, "--demo", "--workers", workers) as server:
        caller = Caller(server.port)
        token, revoked = caller.get_token(), caller.get_token()
        placed: str = caller.place(token).json()["order_id"]
        assert caller.revoke(revoked).status == 200
        processes = server.workers()
        asking: list[Asking] = [
            lambda: caller.introspect(token),
            lambda: caller.introspect(revoked),
            lambda: caller.place(token),
            lambda: caller.read(token, placed),
            lambda: caller.revoke(token),
            lambda: caller.post_form("/oauth/token", grant_type="client_credentials"),
            lambda: caller.call("GET", "/readyz"),
        ]
        for go_away, come_back in (
            (breakable_postgres.stop, breakable_postgres.start),
            (breakable_postgres.pause, breakable_postgres.resume),
        ):
            go_away()
            time.sleep(KNOWN_FOR_SECONDS + 0.1)
            refused = ask_for(OUTAGE_SECONDS, asking)
            # What needs no database goes on.
            assert caller.call("GET", "/oauth/jwks").status == 200
            assert caller.call("GET", "/healthz").status == 200
            come_back()
            for answer in refused:
                assert answer.status == 503, answer
                assert int(answer.headers["retry-after"]) > 0
                assert answer.seconds < LONGEST_ANSWER_SECONDS
            wait_until(lambda: caller.introspect(token).status == 200, RECOVERY_SECONDS, "introspection again")
            wait_until(lambda: caller.place(token).status == 201, RECOVERY_SECONDS, "orders again")
            assert caller.introspect(token).json()["active"] is True
            assert caller.introspect(revoked).json()["active"] is False
            assert caller.read(token, placed).status == 200
        assert server.workers() == processes


def test_a_worker_killed_during_an_outage_waits_for_the_database_and_takes_nobody_with_it(
    breakable_url: str, breakable_postgres: PostgresCluster, tmp_path: Path
) -> None:
    settings = settings_of(breakable_url, database__timeout_seconds=str(TRANSACTION_SECONDS))
    with ServerProcess(tmp_path, settings, "--demo", "--workers", "2") as server:
        caller = Caller(server.port)
        token = caller.get_token()
        survivor = kill_a_worker_without_database(server, breakable_postgres, seconds_away=3)
        time.sleep(1)
        assert survivor in server.workers()
        breakable_postgres.start()
        wait_until(lambda: caller.place(token).status == 201, RECOVERY_SECONDS, "orders again")
        with callers_of_each_worker(server, RECOVERY_SECONDS) as callers:
            assert survivor in callers
        # What the dead one knew last is no alarm any more.
        wait_until(lambda: feed_age(caller) < 2, RECOVERY_SECONDS, "the metrics")

        kill_a_worker_without_database(server, breakable_postgres)
        try:
            began = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - began < STOP_SECONDS
        finally:
            breakable_postgres.start()


def test_a_server_that_cannot_hear_of_a_revocation_never_calls_the_token_active(
    breakable_url: str, breakable_postgres: PostgresCluster, tmp_path: Path
) -> None:
    """Two machines, one of them cut off: the token is revoked on the other.

    No question asked of the first more than a second after may be answered with `active: true`: not while it is cut
    off, and not when old answers of the database come in at last.
    """
    with Wire(breakable_postgres.port) as wire:
        far_url = breakable_url.replace(f":{breakable_postgres.port}/", f":{wire.port}/")
        with (
            ServerProcess(tmp_path, settings_of(breakable_url), "--demo") as near,
            ServerProcess(tmp_path, settings_of(far_url, issuer=near.url), "--demo") as far,
        ):
            teller, asker = Caller(near.port), Caller(far.port)
            for mend in (wire.release, wire.cut):
                token = teller.get_token()
                assert asker.introspect(token).json()["active"] is True
                heard: list[tuple[float, Answer]] = []

                def ask(thread: int, turn: int, token: str = token, heard: list[tuple[float, Answer]] = heard) -> None:
                    # One after another, so that there is always one who has only just asked.
                    time.sleep(0.3 * thread if turn == 0 else 0.05)
                    asked_at = time.monotonic()
                    heard.append((asked_at, asker.introspect(token)))

                with Load(ask, threads=10):
                    wire.hold()
                    time.sleep(0.5)
                    assert teller.revoke(token).status == 200
                    revoked_at = time.monotonic()
                    # Shorter than a transaction may take: a reading that was on its way comes in late, and is old.
                    time.sleep(2.5)
                    mend()
                    wire.release()
                    wait_until(lambda: asker.call("GET", "/readyz").status == 200, RECOVERY_SECONDS, "the far server")
                late = [answer for asked_at, answer in heard if asked_at > revoked_at + KNOWN_FOR_SECONDS]
                assert late
                assert {answer.status for answer in late} <= {200, 503}
                assert not [answer for answer in late if answer.status == 200 and answer.json()["active"]]
                assert asker.introspect(token).json()["active"] is False


def kill_a_worker_without_database(server: ServerProcess, cluster: PostgresCluster, *, seconds_away: int = 0) -> int:
    """Stops the database, kills a worker, and waits until its successor waits; the other worker's process id.

    `seconds_away`: how long the workers have known nothing by then.
    """
    with callers_of_each_worker(server) as callers:
        # Both have started: who waits from now on is a successor.
        doomed, survivor = callers
    waits = server.log().count(WAITING)
    cluster.stop()
    wait_until(lambda: feed_age(Caller(server.port)) > seconds_away, 20, "workers that know nothing")
    psutil.Process(doomed).kill()
    wait_until(lambda: server.log().count(WAITING) > waits, 40, "a worker that waits")
    assert len(server.workers()) == 2
    return survivor


def feed_age(caller: Caller) -> float:
    """The metric that an operator has an alarm on."""
    lines = caller.call("GET", "/metrics").body.decode().splitlines()
    return next(float(line.split()[-1]) for line in lines if line.startswith("authsrv_feed_age_seconds "))


def ask_for(seconds: float, asking: list[Asking]) -> list[Answer]:
    """Everything asked again and again, each by a thread of its own, for that long."""
    answers: list[Answer] = []

    def ask(thread: int, _turn: int) -> None:
        answers.append(asking[thread]())
        time.sleep(0.1)

    with Load(ask, threads=len(asking)):
        time.sleep(seconds)
    return answers
