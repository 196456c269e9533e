"""What is taken back is refused in every worker within a second, on every engine, through a pooler too."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.server import CommandResult, ServerProcess, run_cli
from tests.support.traffic import Answer, Caller, Load, callers_of_each_worker, last_granted

EVERYWHERE_WITHIN_SECONDS = 1.0


@pytest.fixture
def workers(shop: ServerProcess) -> Iterator[list[Caller]]:
    """One caller for each worker of the shop."""
    with callers_of_each_worker(shop) as callers:
        yield list(callers.values())


def test_a_revoked_token_is_refused_at_once_where_it_was_revoked_and_within_a_second_elsewhere(
    workers: list[Caller],
) -> None:
    for teller in workers:
        token = teller.get_token()
        assert all(worker.introspect(token).json()["active"] for worker in workers)
        assert {worker.list_orders(token).status for worker in workers} == {200}

        assert teller.revoke(token).status == 200
        revoked_at = time.monotonic()

        assert teller.introspect(token).json() == {"active": False}
        assert teller.list_orders(token).status == 401
        for worker in workers:
            accepted = last_granted(partial(status_of, partial(worker.list_orders, token)), revoked_at)
            assert accepted < EVERYWHERE_WITHIN_SECONDS
            assert worker.introspect(token).json() == {"active": False}
            print(f"accepted for {accepted * 1000:.0f} ms")


def test_a_suspended_app_is_refused_everywhere_even_with_tokens_issued_in_the_last_moment(
    shop: ServerProcess, workers: list[Caller], tmp_path: Path
) -> None:
    """Both workers go on issuing tokens until they have heard of it; none of those may outlive the suspension."""
    registered = manage(shop, tmp_path, "create", "Doomed", "--developer=dev@example.com", "--type=service")
    app = {"client_id": registered.json()["client_id"], "client_secret": registered.json()["client_secret"]}
    fresh = Caller(shop.port, **app)
    first = fresh.get_token()
    issued: list[str] = []

    def ask(_thread: int, _turn: int) -> None:
        answer = fresh.post_form("/oauth/token", grant_type="client_credentials")
        if answer.status == 200:
            issued.append(answer.json()["access_token"])
        time.sleep(0.02)

    with Load(ask, threads=2):
        manage(shop, tmp_path, "suspend", app["client_id"])
        suspended_at = time.monotonic()
        for worker in workers:
            mine = Caller(worker.port, **app, connection=worker.connection)
            for ask_for in (
                partial(worker.list_orders, first),
                partial(mine.post_form, "/oauth/token", grant_type="client_credentials"),
            ):
                assert last_granted(partial(status_of, ask_for), suspended_at) < EVERYWHERE_WITHIN_SECONDS
    assert issued
    assert {worker.list_orders(token).status for worker in workers for token in issued} == {401}

    manage(shop, tmp_path, "resume", app["client_id"])
    time.sleep(EVERYWHERE_WITHIN_SECONDS)
    assert {worker.list_orders(issued[-1]).status for worker in workers} == {401}
    # A token in no store is known, and may not read the orders of one.
    assert {worker.list_orders(fresh.get_token()).status for worker in workers} == {403}


def test_a_service_places_an_order_and_every_worker_knows_it(workers: list[Caller]) -> None:
    for worker in workers:
        token = worker.get_token()
        placed = worker.place(token, "c-7")
        assert placed.status == 201, placed
        order_id = placed.json()["order_id"]
        for other in workers:
            order = other.read(token, order_id)
            assert order.status == 200
            assert [item["price"] for item in order.json()["items"]] == [14.0, 18.5]
            assert other.list_orders(token, "customer_id=c-7").json()[0]["order_id"] == order_id


def test_many_at_once_are_all_served(shop: ServerProcess) -> None:
    """More clients than the pooler has server connections, each statement free to meet another of them."""
    caller = Caller(shop.port)
    token = caller.get_token()
    answers: list[Answer] = []

    def work(thread: int, turn: int) -> None:
        placed = caller.place(token, f"{thread}-{turn}")
        answers.append(placed)
        answers.append(caller.read(token, placed.json()["order_id"]))
        answers.append(caller.revoke(caller.get_token()))

    with Load(work, threads=16, most_turns=5) as load:
        load.run_out()
    assert len(answers) == 16 * 5 * 3
    assert {answer.status for answer in answers} == {200, 201}


def status_of(ask: Callable[[], Answer]) -> int:
    return ask().status


def manage(shop: ServerProcess, folder: Path, *args: str) -> CommandResult:
    """`authsrv apps` beside the running server."""
    finished = run_cli("apps", *args, "--json", env=shop.settings, cwd=folder)
    assert finished.exit_code == 0, finished.stderr
    return finished
