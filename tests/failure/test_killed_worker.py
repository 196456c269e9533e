"""`kill -9` of a worker under load: what was acknowledged stays, and the others go on."""

import time
from pathlib import Path

import psutil

from tests.support.server import ServerProcess
from tests.support.traffic import BROKEN, Caller, Load, callers_of_each_worker, settings_of, wait_until

THREADS = 4
HEARD_WITHIN_SECONDS = 1.0


def test_no_accepted_order_and_no_acknowledged_revocation_is_lost(database_url: str, tmp_path: Path) -> None:
    """Four threads place orders and take tokens back; one of two workers is killed in the midst of it."""
    with ServerProcess(tmp_path, settings_of(database_url), "--demo", "--workers", "2") as server:
        caller = Caller(server.port)
        token = caller.get_token()
        accepted: dict[str, str] = {}
        revoked: list[str] = []
        broken: list[Exception] = []

        def work(thread: int, turn: int) -> None:
            try:
                if turn % 3 == 2:
                    taken_back = caller.get_token()
                    assert caller.revoke(taken_back).status == 200
                    revoked.append(taken_back)
                else:
                    customer_id = f"{thread}-{turn}"
                    answer = caller.place(token, customer_id)
                    assert answer.status == 201, answer
                    accepted[customer_id] = answer.json()["order_id"]
            except BROKEN as fault:
                broken.append(fault)
            time.sleep(0.02)

        with Load(work, threads=THREADS):
            time.sleep(1)
            doomed, survivor = server.workers()
            before = len(accepted)
            psutil.Process(doomed).kill()
            wait_until(lambda: len(accepted) > before + 20, 30, "orders while a worker is missing")
            wait_until(lambda: len(set(server.workers()) - {doomed}) == 2, 40, "the supervisor's next worker")
            with callers_of_each_worker(server) as callers:
                assert survivor in callers
        # The killed worker's own requests broke off, one a thread at most; nobody else's did.
        assert len(broken) <= THREADS
        assert len(revoked) > 10
        time.sleep(HEARD_WITHIN_SECONDS)
        with callers_of_each_worker(server) as callers:
            first, second = callers.values()
            assert accepted.items() <= orders_of(first, token).items()
            for each in (first, second):
                assert {each.list_orders(one, "limit=1").status for one in revoked} == {401}
        assert server.stop() == 0


def orders_of(caller: Caller, token: str) -> dict[str, str]:
    """All orders, by customer."""
    orders: dict[str, str] = {}
    page = 1
    while listed := caller.list_orders(token, f"limit=100&page={page}").json():
        orders |= {order["customer_id"]: order["order_id"] for order in listed}
        page += 1
    return orders
