"""Clients of a server process: every call on a connection of its own, or all on one that a known worker holds."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any, Self
from urllib.parse import urlencode

import psutil

from authsrv.kit.secret_keys import SecretKeys
from authsrv.operations.demo import demo_secret
from tests.support.ports import LOOPBACK
from tests.support.server import ServerProcess

SECRET_KEY = "a-secret-of-the-tests-long-enough-for-every-purpose"
DEMO_CLIENT = "demo-service"
DEMO_SECRET = demo_secret(SecretKeys([SECRET_KEY]), DEMO_CLIENT)
FORM = "application/x-www-form-urlencoded"
# What a connection can end in when the server, or its worker, goes away.
BROKEN = (OSError, HTTPException)


def settings_of(database_url: str, **settings: str) -> dict[str, str]:
    """The environment of a demo server on this database; `feed__poll_seconds="9"` sets AUTHSRV_FEED__POLL_SECONDS."""
    own = {"database_url": database_url, "secret_keys": SECRET_KEY, "log": "json"}
    # Load is the point here, not what one client may ask for.
    own |= {"limits__token_per_client": "off", "limits__api_per_credential": "off", **settings}
    return {f"AUTHSRV_{name.upper()}": value for name, value in own.items()}


@dataclass(frozen=True)
class Answer:
    """What came back, and after how long."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Caller:
    """A service at `port` of this machine; the one of the demo shop unless told otherwise."""

    port: int
    client_id: str = DEMO_CLIENT
    client_secret: str = DEMO_SECRET
    timeout: float = 30
    connection: HTTPConnection | None = None

    def call(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """One request, on a fresh connection unless it has its own. Raises one of BROKEN without a whole answer."""
        connection = self.connection or HTTPConnection(LOOPBACK, self.port, timeout=self.timeout)
        began = time.monotonic()
        try:
            connection.request(method, path, body or None, dict(headers or {}))
            answer = connection.getresponse()
            content = answer.read()
        finally:
            if self.connection is None:
                connection.close()
        seconds = time.monotonic() - began
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, content, seconds)

    def post_form(self, path: str, **form: str) -> Answer:
        credentials = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        headers = {"Content-Type": FORM, "Authorization": f"Basic {credentials}"}
        return self.call("POST", path, urlencode(form).encode(), headers)

    def get_token(self) -> str:
        answer = self.post_form("/oauth/token", grant_type="client_credentials")
        assert answer.status == 200, answer
        token: str = answer.json()["access_token"]
        return token

    def introspect(self, token: str) -> Answer:
        return self.post_form("/oauth/introspect", token=token)

    def revoke(self, token: str) -> Answer:
        return self.post_form("/oauth/revoke", token=token)

    def place(self, token: str, customer_id: str = "12345") -> Answer:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return self.call("POST", "/orders", order_of(customer_id), headers)

    def read(self, token: str, order_id: str) -> Answer:
        return self.call("GET", f"/orders/{order_id}", headers={"Authorization": f"Bearer {token}"})

    def list_orders(self, token: str, query: str = "") -> Answer:
        return self.call("GET", f"/orders?{query}", headers={"Authorization": f"Bearer {token}"})


@contextmanager
def callers_of_each_worker(server: ServerProcess, seconds: float = 40) -> Iterator[dict[int, Caller]]:
    """For each worker's process id a caller that stays with it. AssertionError if one takes no connection."""
    callers: dict[int, Caller] = {}
    connections: list[HTTPConnection] = []
    deadline = time.monotonic() + seconds
    try:
        while len(callers) < len(workers := server.workers() or [server.pid]):
            assert time.monotonic() < deadline, f"of the workers {workers} only {list(callers)} take connections"
            connection = HTTPConnection(LOOPBACK, server.port, timeout=30)
            connections.append(connection)
            caller = Caller(server.port, connection=connection)
            caller.call("GET", "/healthz")
            if (worker := _holder_of(connection, workers)) is not None:
                callers.setdefault(worker, caller)
        yield callers
    finally:
        for connection in connections:
            connection.close()


def _holder_of(connection: HTTPConnection, workers: list[int]) -> int | None:
    """Which worker has the other end."""
    port = connection.sock.getsockname()[1]
    for pid in workers:
        # A worker may have been killed a moment ago.
        with suppress(psutil.NoSuchProcess):
            ends = psutil.Process(pid).net_connections("tcp")
            if port in {getattr(end.raddr, "port", None) for end in ends}:
                return pid
    return None


def order_of(customer_id: str) -> bytes:
    """The order of the seed, for this customer."""
    address = {"street": "123 Main St", "city": "Anytown", "state": "CA", "zip": "91234", "country": "USA"}
    order = {
        "customer_id": customer_id,
        "items": [{"product_id": "A100", "quantity": 1}, {"product_id": "B200", "quantity": 1}],
        "shipping_address": address,
        "payment_method": "credit_card",
        "payment_details": {},
    }
    return json.dumps(order).encode()


class Load:
    """Threads that repeat `work(thread, turn)` until the context is left; a fault of theirs is raised there."""

    def __init__(self, work: Callable[[int, int], None], *, threads: int, most_turns: int = 5000) -> None:
        self._work = work
        self._most_turns = most_turns
        self._over = threading.Event()
        self._faults: list[BaseException] = []
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(threads)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        if self._faults:
            raise self._faults[0]

    def run_out(self) -> None:
        """Wait until every thread has had all its turns."""
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        try:
            for turn in range(self._most_turns):
                if self._over.is_set():
                    return
                self._work(number, turn)
        except Exception as fault:  # noqa: BLE001 - a thread cannot fail a test; who leaves the context does
            self._faults.append(fault)


def last_granted(ask: Callable[[], int], since: float) -> float:
    """How long after `since` a request was begun that was still answered with 200; asks until one is refused (401).

    When its answer came, a busy machine decides.
    """
    granted = 0.0
    while True:
        asked_at = time.monotonic()
        assert asked_at - since < 10, "never refused"
        match ask():
            case 200:
                granted = asked_at - since
            case 401:
                return granted


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> float:
    """Ask until it holds; how long that took. AssertionError after `seconds`."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.02)
    return time.monotonic() - began
