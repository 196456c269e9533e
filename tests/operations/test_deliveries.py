import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.identifiers import Identifiers
from authsrv.kit.outbound import Message, Outbound
from authsrv.operations.deliveries import WAITS, DeliveryWorker, wait_after
from authsrv.storage.database import Database
from authsrv.storage.deliveries import Delivery, add_delivery, claim_deliveries
from authsrv.storage.unit import Unit
from tests.support.databases import migrate_to_head
from tests.support.receiver import Answer, Received, Receiver
from tests.support.server import REPOSITORY
from tests.support.world import ManualClock

T = TypeVar("T")
KIND = "test"


def word(unit: Unit, delivery: Delivery) -> Message:
    return Message(delivery.body.encode(), {"X-Delivery": str(delivery.id)})


class Post:
    """A database, what sends from it, and a clock that is moved by hand."""

    def __init__(self, url: str, clock: ManualClock) -> None:
        self.clock = clock
        self.database = Database(url, clock=clock, identifiers=Identifiers(clock, SystemEntropy()))
        self.outbound = Outbound(allow_loopback=True)
        self.worker = self.new_worker()

    def new_worker(self, **values: Any) -> DeliveryWorker:
        senders = {KIND: word}
        return DeliveryWorker(
            self.database,
            self.outbound,
            **{"senders": senders, "entropy": SystemEntropy(), "clock": self.clock, **values},
        )

    async def add(self, url: str, body: str = "hello", kind: str = KIND) -> None:
        def work(unit: Unit) -> None:
            now = unit.now()
            delivery = Delivery(
                id=unit.new_id(),
                kind=kind,
                client_id="app",
                url=url,
                body=body,
                due_at=now,
                created_at=now,
                expires_at=now + timedelta(days=3),
            )
            add_delivery(unit, delivery)

        await self.database.transact(work)

    async def rows(self) -> list[Delivery]:
        query = select(Delivery).order_by(col(Delivery.id))
        return await self.database.transact(lambda unit: list(unit.session.exec(query)), read_only=True)

    async def send(self) -> int:
        """One look at what is due, to its end."""
        begun = await self.worker.send_due()
        await self.worker.finish()
        return begun


@asynccontextmanager
async def opened(url: str, clock: ManualClock) -> AsyncIterator[Post]:
    post = Post(url, clock)
    await post.database.start()
    try:
        yield post
    finally:
        await post.outbound.close()
        await post.database.close()


@pytest.fixture
def url(empty_url: str) -> str:
    migrate_to_head(empty_url)
    return empty_url


@pytest.fixture
async def post(url: str, clock: ManualClock) -> AsyncIterator[Post]:
    async with opened(url, clock) as post:
        yield post


@asynccontextmanager
async def running(worker: DeliveryWorker) -> AsyncIterator[None]:
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(is_so: Callable[[], bool], seconds: float = 10.0) -> float:
    """How long it took."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < seconds
        await asyncio.sleep(0.01)
    return time.monotonic() - began


async def test_what_is_due_arrives_once(post: Post) -> None:
    with Receiver() as receiver:
        await post.add(f"{receiver.url}/hook", "hello")
        assert await post.send() == 1
        assert await post.send() == 0
        assert [(r.path, r.body) for r in receiver.requests] == [("/hook", b"hello")]
    (row,) = await post.rows()
    assert (row.attempts, row.last_status, row.done_at is not None) == (1, 200, True)


async def test_what_fails_is_sent_again_after_five_seconds(post: Post) -> None:
    answers = iter([Answer(500), Answer(301, headers=(("Location", "/"),)), Answer(204)])
    with Receiver(lambda _: next(answers)) as receiver:
        await post.add(receiver.url)
        await post.send()
        (row,) = await post.rows()
        assert (row.last_status, row.last_error, row.done_at) == (500, "answered 500", None)
        post.clock.move(timedelta(seconds=4))
        assert await post.send() == 0
        post.clock.move(timedelta(seconds=2))
        assert await post.send() == 1
        post.clock.move(timedelta(minutes=6))
        assert await post.send() == 1
        (row,) = await post.rows()
        assert (row.attempts, row.last_status, row.last_error) == (3, 204, None)
        assert len(receiver.requests) == 3


async def test_after_the_last_wait_it_is_given_up(post: Post) -> None:
    with Receiver(lambda _: Answer(503)) as receiver:
        await post.add(receiver.url)
        began, waited = post.clock.now(), []
        for _ in range(len(WAITS)):
            assert await post.send() == 1
            (row,) = await post.rows()
            assert row.done_at is None
            waited.append(row.due_at - post.clock.now())
            post.clock.move(waited[-1])
        assert await post.send() == 1
        (row,) = await post.rows()
        assert row.done_at is not None
        assert row.last_error == "answered 503"
        post.clock.move(timedelta(days=1))
        assert await post.send() == 0
        assert len(receiver.requests) == len(WAITS) + 1
    assert all(0.9 <= wait / planned <= 1.1 for wait, planned in zip(waited, WAITS, strict=True))
    assert timedelta(hours=27) < row.done_at - began < timedelta(hours=36)


def test_waits_are_spread_and_end() -> None:
    assert wait_after(1, 0.0) == timedelta(seconds=4.5)
    assert wait_after(7, 0.5) == timedelta(hours=14)
    assert wait_after(8, 0.5) is None


async def test_a_receiver_that_is_not_there_is_tried_again(post: Post) -> None:
    await post.add("http://127.0.0.1:1/")
    await post.send()
    (row,) = await post.rows()
    assert (row.last_status, row.last_error, row.done_at) == (None, "cannot be reached: ConnectError", None)


async def test_nothing_is_sent_to_an_inner_address(post: Post) -> None:
    for url in ("https://10.0.0.1/", "https://169.254.169.254/latest", "http://169.254.169.254/"):
        await post.add(url)
    await post.send()
    assert {row.last_error for row in await post.rows()} == {"the host is not at a public address", "must be https"}


async def test_what_nobody_here_can_word_is_left_to_others(post: Post) -> None:
    with Receiver() as receiver:
        await post.add(receiver.url, kind="of a newer version")
        assert await post.send() == 0
        (row,) = await post.rows()
        assert (row.attempts, row.done_at) == (0, None)


async def test_a_delivery_that_cannot_be_worded_stops_no_other(post: Post) -> None:
    def fussy(unit: Unit, delivery: Delivery) -> Message | None:
        if delivery.body == "none":
            return None
        if delivery.body == "bad":
            raise LookupError("no key")
        return word(unit, delivery)

    post.worker = post.new_worker(senders={KIND: fussy})
    with Receiver() as receiver:
        for body in ("bad", "none", "good"):
            await post.add(receiver.url, body)
        await post.send()
        assert [request.body for request in receiver.requests] == [b"good"]
    bad, none, good = await post.rows()
    assert (bad.last_error, bad.done_at) == ("cannot be worded", None)
    assert (none.last_status, none.done_at is not None) == (None, True)
    assert good.last_status == 200


async def test_a_commit_is_sent_at_once(post: Post) -> None:
    worker = post.new_worker(poll_seconds=60)
    post.database.listen(worker.hear)
    with Receiver() as receiver:
        async with running(worker):
            await asyncio.sleep(0.1)
            await post.add(receiver.url)
            assert await until(lambda: bool(receiver.requests)) < 1.0


async def test_what_another_process_added_is_found_by_looking(post: Post) -> None:
    with Receiver() as receiver:
        async with running(post.new_worker(poll_seconds=0.2)):
            await post.add(receiver.url)
            assert await until(lambda: bool(receiver.requests)) < 2.0


async def test_stopping_lets_what_is_on_its_way_arrive(post: Post) -> None:
    def slowly(_: Received) -> Answer:
        time.sleep(0.5)
        return Answer()

    with Receiver(slowly) as receiver:
        await post.add(receiver.url)
        async with running(post.new_worker(poll_seconds=0.05)):
            await until(lambda: bool(receiver.requests))
    (row,) = await post.rows()
    assert row.last_status == 200


async def test_many_workers_send_each_delivery_exactly_once(url: str, clock: ManualClock) -> None:
    async with AsyncExitStack() as stack:
        posts = [await stack.enter_async_context(opened(url, clock)) for _ in range(4)]
        with Receiver() as receiver:
            for number in range(80):
                await posts[0].add(f"{receiver.url}/{number}")
            for one in posts:
                await stack.enter_async_context(running(one.new_worker(poll_seconds=0.05)))
            await until(lambda: len(receiver.requests) >= 80, 60)
            await asyncio.sleep(0.3)
            assert Counter(request.path for request in receiver.requests) == Counter(f"/{n}" for n in range(80))


async def test_a_receiver_that_fails_at_random_gets_everything(post: Post) -> None:
    heard: Counter[str] = Counter()

    def moody(received: Received) -> Answer:
        heard[received.path] += 1
        return Answer(500 if hash((received.path, heard[received.path])) % 2 and heard[received.path] < 7 else 200)

    with Receiver(moody) as receiver:
        for number in range(50):
            await post.add(f"{receiver.url}/{number}")
        for _ in range(400):
            await post.send()
            post.clock.move(timedelta(minutes=10))
            if all(row.done_at for row in await post.rows()):
                break
    assert {row.last_status for row in await post.rows()} == {200}
    assert len(heard) == 50


async def test_a_slow_receiver_does_not_hold_up_the_others(post: Post) -> None:
    def stall(_: Received) -> Answer:
        time.sleep(3)
        return Answer()

    worker = post.new_worker(poll_seconds=0.2)
    with Receiver(stall) as slow, Receiver() as quick:
        for number in range(100):
            await post.add(f"{slow.url}/{number % 50}")
        await post.add(quick.url.replace("127.0.0.1", "localhost"))
        async with running(worker):
            assert await until(lambda: bool(quick.requests)) < 2.5
            assert len(slow.requests) <= 8


async def test_a_claim_of_one_that_died_runs_out(post: Post) -> None:
    with Receiver() as receiver:
        await post.add(receiver.url)
        until_then = post.clock.now() + timedelta(seconds=30)
        claimed = await post.database.transact(lambda unit: claim_deliveries(unit, until_then, 10, (KIND,), ()))
        assert len(claimed) == 1
        post.clock.move(timedelta(seconds=29))
        assert await post.send() == 0
        post.clock.move(timedelta(seconds=1))
        assert await post.send() == 1
        assert len(receiver.requests) == 1


async def test_one_that_comes_back_late_does_not_undo_what_another_did(post: Post) -> None:
    release = asyncio.Event()
    real_post = post.outbound.post

    async def held_up(*args: Any) -> Any:
        await release.wait()
        return await real_post(*args)

    with Receiver(lambda received: Answer(500 if len(receiver.requests) > 1 else 200)) as receiver:
        await post.add(receiver.url)
        post.outbound.post = held_up  # type: ignore[method-assign,assignment]  # one process that stalls before it sends
        await post.worker.send_due()
        await asyncio.sleep(0.1)
        post.clock.move(timedelta(seconds=31))
        post.outbound.post = real_post  # type: ignore[method-assign]
        other = post.new_worker()
        await other.send_due()
        await other.finish()
        release.set()
        await post.worker.finish()
    (row,) = await post.rows()
    assert (row.last_status, row.done_at is not None) == (200, True)


KILLED = """
import asyncio, sys
from datetime import timedelta
from authsrv.kit.clock import SystemClock
from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.identifiers import Identifiers
from authsrv.kit.outbound import Message, Outbound
from authsrv.operations.deliveries import DeliveryWorker
from authsrv.storage.database import Database

async def main():
    clock = SystemClock()
    database = Database(sys.argv[1], clock=clock, identifiers=Identifiers(clock, SystemEntropy()))
    await database.start()
    senders = {"test": lambda unit, delivery: Message(delivery.body.encode(), {})}
    await DeliveryWorker(
        database, Outbound(allow_loopback=True), senders, SystemEntropy(), clock, poll_seconds=0.05,
        claim=timedelta(seconds=2),
    ).run()

asyncio.run(main())
"""


async def test_what_a_killed_process_was_sending_is_sent_again(url: str, tmp_path: Path) -> None:
    def stall(_: Received) -> Answer:
        if len(receiver.requests) <= 5:
            time.sleep(4)
        return Answer()

    clock = ManualClock()
    with Receiver(stall) as receiver:
        async with opened(url, clock) as post:
            for number in range(5):
                await post.add(f"{receiver.url}/{number}")
            env = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, url, env=env, cwd=tmp_path)
            await until(lambda: len(receiver.requests) == 5, 20)
            process.kill()
            await process.wait()
            assert {row.done_at for row in await post.rows()} == {None}
            clock.move(timedelta(seconds=60))
            await post.send()
            assert {row.last_status for row in await post.rows()} == {200}
            assert Counter(request.path for request in receiver.requests) == {f"/{n}": 2 for n in range(5)}


async def test_looking_for_work_does_not_wade_through_what_is_done(post: Post) -> None:
    def plan(unit: Unit) -> str:
        statement = "SELECT id FROM delivery WHERE done_at IS NULL AND due_at <= '2020-01-01' ORDER BY due_at LIMIT 1"
        if post.database.is_sqlite:
            return str(unit.session.execute(text(f"EXPLAIN QUERY PLAN {statement}")).all())
        # A table this small would be read from end to end.
        unit.session.execute(text("SET LOCAL enable_seqscan = off"))
        return str(unit.session.execute(text(f"EXPLAIN {statement}")).all())

    assert "ix_delivery_due_at" in await post.database.transact(plan)
