"""A thousand events, a receiver that fails at random, and both workers killed: each event arrives, none is invented."""

import json
import random
import time
from collections import Counter
from itertools import product
from pathlib import Path

import psutil
import pytest

from tests.support.receiver import Answer, Received, Receiver
from tests.support.server import ServerProcess, run_cli
from tests.support.traffic import BROKEN, Caller, Load, callers_of_each_worker, settings_of, wait_until

THREADS = 4
EVENTS = 1000
# Each order is placed and cancelled, and two endpoints hear of both; a few more, since the kill cuts some short.
ENDPOINTS = ("/books", "/stock")
ORDERS = EVENTS // 4 + 20
FAILING = 0.25
# A claim of a killed worker runs out after thirty seconds.
ARRIVED_WITHIN_SECONDS = 60

# Where it went, what happened, and to which order.
Event = tuple[str, str, str]


class Unreliable:
    """Fails an event's first arrival at random, and never its second."""

    def __init__(self) -> None:
        self.arrived: list[tuple[str, Event]] = []
        self.met: Counter[Event] = Counter()
        self.failed: set[Event] = set()
        # A claim that died was a try: what fails the next one as well comes again after five minutes only.
        self.spares_until = ""
        self._chance = random.Random(20261121)

    def __call__(self, received: Received) -> Answer:
        event = event_of(received)
        self.met[event] += 1
        if self.met[event] == 1 and event[2] > self.spares_until and self._chance.random() < FAILING:
            self.failed.add(event)
            return Answer(self._chance.choice((302, 404, 429, 500, 503)))
        self.arrived.append((received.headers["webhook-id"], event))
        return Answer()


def event_of(received: Received) -> Event:
    body = json.loads(received.body)
    return received.path, body["event"], body["data"]["order_id"]


# Claims on SQLite are tried by four processes in tests/operations/test_deliveries.py.
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_every_event_arrives_and_none_is_invented(database_url: str, tmp_path: Path) -> None:
    settings = settings_of(database_url, webhook_allow_loopback="true")
    unreliable = Unreliable()
    with Receiver(unreliable) as receiver, ServerProcess(tmp_path, settings, "--demo", "--workers", "2") as server:
        for path in ENDPOINTS:
            listening = ("webhooks", "create", receiver.url + path, "--store", "demo", "--json")
            assert run_cli(*listening, env=settings, cwd=tmp_path).json()["id"]
        caller = Caller(server.port)
        token = caller.get_token()
        placed: list[str] = []

        def work(thread: int, turn: int) -> None:
            # Who is cut off by the kill does not know what became of it; the shop itself is asked at the end.
            try:
                answer = caller.place(token, f"{thread}-{turn}")
                assert answer.status == 201, answer
                order_id = answer.json()["order_id"]
                placed.append(order_id)
                caller.call("DELETE", f"/orders/{order_id}", headers={"Authorization": f"Bearer {token}"})
            except BROKEN:
                time.sleep(0.2)

        with Load(work, threads=THREADS):
            wait_until(lambda: len(placed) > ORDERS // 3, 120, "the first third of the orders")
            doomed = server.workers()
            assert len(doomed) == 2
            unreliable.spares_until = "g"
            for worker in doomed:
                psutil.Process(worker).kill()
            wait_until(lambda: len(set(server.workers()) - set(doomed)) == 2, 40, "two new workers")
            before = len(placed)
            wait_until(lambda: len(placed) > before, 40, "an order that no killed worker knew")
            unreliable.spares_until = max(placed)
            wait_until(lambda: len(placed) >= ORDERS, 120, "the other orders")
        with callers_of_each_worker(server) as callers:
            expected = events_of_all(next(iter(callers.values())), token)
        assert len(expected) >= EVENTS
        wait_until(
            lambda: expected <= {event for _, event in unreliable.arrived}, ARRIVED_WITHIN_SECONDS, "the last event"
        )
        assert server.stop() == 0
    arrived = [event for _, event in unreliable.arrived]
    assert set(arrived) == expected
    assert len(unreliable.failed) > ORDERS // 4
    # Whoever hears something twice can tell by its id, and two events never share one.
    assert len(set(unreliable.arrived)) == len({name for name, _ in unreliable.arrived}) == len(expected)
    for path, name, order_id in expected - unreliable.failed:
        cancelled = (path, "order.cancelled", order_id)
        if name == "order.created" and cancelled in expected:
            assert arrived.index((path, name, order_id)) < arrived.index(cancelled)


def events_of_all(caller: Caller, token: str) -> set[Event]:
    """What the shop should have told of: each order, and its end if it has come to one."""
    events: set[Event] = set()
    page = 1
    while listed := caller.list_orders(token, f"limit=100&page={page}").json():
        for path, order in product(ENDPOINTS, listed):
            events.add((path, "order.created", order["order_id"]))
            if order["status"] == "cancelled":
                events.add((path, "order.cancelled", order["order_id"]))
        page += 1
    return events
