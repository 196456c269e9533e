"""A whole server in this process: real HTTP on a real port, and a way to reach below its seam to set the scene."""

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar, cast
from uuid import uuid4

import httpx
import uvicorn
import uvloop
from sqlmodel import insert

from authsrv import create_app, load_settings
from authsrv.kit.clock import Clock
from authsrv.kit.entropy import SystemEntropy
from authsrv.oauth.client_secrets import rotate_secret
from authsrv.oauth.registration import (
    NewClient,
    add_secret,
    create_client,
    new_client_id,
    resume_client,
    suspend_client,
)
from authsrv.operations.http import BoundedHttp
from authsrv.routes import DIALECTS
from authsrv.settings import Settings
from authsrv.shop.money import to_minor
from authsrv.storage.clients import Client, find_client
from authsrv.storage.database import Database
from authsrv.storage.products import Product
from authsrv.storage.stores import Store, add_store
from authsrv.storage.unit import Unit
from authsrv.web.doors import Dialect
from authsrv.web.hall import Hall
from authsrv.web.runtime import Runtime
from tests.support.plain_http import NO_TLS

T = TypeVar("T")

SECRET_KEY = "a-secret-of-the-tests-long-enough-for-every-purpose"
# For a server that is alone at its database and hears its own news at once: dozens of them ask all the time, all told.
ALONE = {"poll_seconds": 5.0, "max_age_seconds": 60.0}
_START_SECONDS = 20


@dataclass(frozen=True)
class Registered:
    """A client as its developer holds it."""

    client_id: str
    client_secret: str


class ManualClock:
    """A clock that begins now and stands still until it is moved."""

    def __init__(self) -> None:
        self._now = datetime.now(UTC)
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._now

    def time_ns(self) -> int:
        since = self._now - datetime(1970, 1, 1, tzinfo=UTC)
        return (since // timedelta(microseconds=1)) * 1000

    def monotonic(self) -> float:
        return self._monotonic

    def move(self, by: timedelta) -> None:
        self._now += by
        self._monotonic += max(by.total_seconds(), 0)


class World:
    """A running server; `url` is its issuer. Tests make stores and clients of their own, so they can share one."""

    def __init__(
        self,
        database_url: str,
        dialects: Sequence[Dialect] = DIALECTS,
        /,
        *,
        clock: Clock | None = None,
        **settings: object,
    ) -> None:
        # With the protocol named, asyncio sends each answer at once (TCP_NODELAY) and not 40 ms later.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        # A run holds dozens of these, most of them waiting: asking for news half as often is still within the second.
        feed = {"poll_seconds": 0.8}
        own = {"issuer": self.url, "database_url": database_url, "secret_keys": SECRET_KEY, "feed": feed}
        self.settings: Settings = load_settings(**{**own, **settings})
        self.app = cast("Hall", create_app(self.settings, clock=clock, dialects=dialects))
        # The loop that `serve` runs on, and its HTTP.
        self._loop = uvloop.new_event_loop()
        config = uvicorn.Config(
            self.app,
            http=BoundedHttp,
            ws="none",
            log_config=None,
            access_log=False,
            # As in `serve`: longer than clients keep them, or it is shut in the moment that one is used again.
            timeout_keep_alive=65,
            lifespan="on",
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, args=(listener,), daemon=True)
        self._ready = threading.Event()
        self._thread.start()
        if not self._ready.wait(_START_SECONDS):
            raise RuntimeError("the server did not start")
        self.http = httpx.Client(verify=NO_TLS, base_url=self.url, timeout=10)

    @property
    def runtime(self) -> Runtime:
        return self.app.runtime

    @property
    def database(self) -> Database:
        return self.runtime.database

    def transact(self, work: Callable[[Unit], T]) -> T:
        """Runs `work` below the seam of this very server."""
        future = asyncio.run_coroutine_threadsafe(self.database.transact(work), self._loop)
        return future.result(timeout=15)

    def add_store(self, *, currency: str = "USD") -> Store:
        """A fresh store with two products: A100 at 14.00 and B200 at 18.50."""

        def work(unit: Unit) -> Store:
            store = add_store(unit, prefix=f"s{uuid4().hex[:12]}", name="A shop", currency=currency)
            now = unit.now()
            rows = [
                {
                    "id": unit.new_id(),
                    "store_id": store.id,
                    "product_id": product_id,
                    "code": f"C-{product_id}",
                    "brand": "Harbour",
                    "name": f"Product {product_id}",
                    "price_minor": to_minor(price, currency),
                    "stock": 1000,
                    "created_at": now,
                    "updated_at": now,
                }
                for product_id, price in (("A100", "14.00"), ("B200", "18.50"))
            ]
            # In one statement: thousands of tests begin with a store.
            unit.session.execute(insert(Product), rows)
            return store

        return self.transact(work)

    def add_client(self, **values: object) -> Registered:
        """A fresh client; a service unless told otherwise."""
        entropy = SystemEntropy()
        wanted = {"name": "An app", "developer": "dev@example.com", "type": "service", **values}

        def work(unit: Unit) -> Registered:
            client_id = new_client_id(entropy)
            new = NewClient(**wanted)  # type: ignore[arg-type]  # the keywords are the test's own
            client = create_client(unit, new, client_id=client_id, actor="test", scopes=self.runtime.server.scopes)
            return Registered(client_id, add_secret(unit, client, entropy))

        return self.transact(work)

    def suspend(self, client: Registered) -> None:
        """What `authsrv apps suspend` does, in this process."""
        self.transact(lambda unit: suspend_client(unit, _row(unit, client), actor="test"))

    def resume(self, client: Registered) -> None:
        self.transact(lambda unit: resume_client(unit, _row(unit, client), actor="test"))

    def rotate_secret(self, client: Registered, *, revoke_old: bool) -> str:
        """The client's new secret."""

        def work(unit: Unit) -> str:
            return rotate_secret(unit, _row(unit, client), SystemEntropy(), revoke_old=revoke_old, actor="test")

        return self.transact(work)

    def close(self) -> None:
        self.http.close()
        self._server.should_exit = True
        self._thread.join(_START_SECONDS)

    def _serve(self, listener: socket.socket) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._run(listener))
        self._loop.close()

    async def _run(self, listener: socket.socket) -> None:
        serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        # uvicorn tells nobody when it has started.
        while not self._server.started and not serving.done():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        if self._server.started:
            self._ready.set()
        await serving


def _row(unit: Unit, registered: Registered) -> Client:
    client = find_client(unit, registered.client_id)
    assert client is not None
    return client
