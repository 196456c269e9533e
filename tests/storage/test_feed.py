"""The feed loses nothing, in whatever order transactions commit."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Uuid, bindparam, text

from authsrv.kit.clock import SystemClock
from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.identifiers import Identifiers
from authsrv.operations.schema import migrate
from authsrv.storage.columns import UTC_TIME
from authsrv.storage.database import Database
from authsrv.storage.revocations import CHANNEL, Reading, add_revocation, prune_revocations, read_feed
from authsrv.storage.unit import NoticeKind, Unit

pytestmark = pytest.mark.anyio

IN_AN_HOUR = timedelta(hours=1)
INSERT = text(
    "INSERT INTO revocation (id, kind, subject, expires_at) VALUES (gen_random_uuid(), 'token', :subject, :expires_at)"
)


@pytest.fixture
async def database(empty_url: str) -> AsyncIterator[Database]:
    async for started in _started(empty_url):
        yield started


@pytest.fixture
async def postgresql(postgres_url: str) -> AsyncIterator[Database]:
    async for started in _started(postgres_url):
        yield started


async def _started(url: str) -> AsyncIterator[Database]:
    clock = SystemClock()
    database = Database(url, clock=clock, identifiers=Identifiers(clock, SystemEntropy()))
    await database.start()
    await migrate(database)
    yield database
    await database.close()


class Reader:
    """A process that reads the feed again and again."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._horizon = 0
        self.heard: set[str] = set()

    async def read(self) -> None:
        self.heard |= {notice.subject for notice in (await self._read()).notices}

    async def has_settled(self) -> bool:
        """Whether there was nothing more to hear."""
        before = len(self.heard)
        await self.read()
        return before > 0 and not (await self._read()).notices

    async def _read(self) -> Reading:
        reading: Reading = await self._database.transact(lambda unit: read_feed(unit, self._horizon), read_only=True)
        self._horizon = reading.horizon
        return reading


async def revoke(database: Database, subject: str, lives: timedelta = IN_AN_HOUR) -> None:
    await database.transact(lambda unit: add_revocation(unit, NoticeKind.TOKEN, subject, unit.now() + lives))


async def test_a_reader_hears_what_was_written_since_the_last_time(database: Database) -> None:
    reader = Reader(database)
    await reader.read()
    await revoke(database, "one")
    await reader.read()
    await revoke(database, "two")
    await reader.read()
    assert reader.heard == {"one", "two"}


async def test_a_reader_that_starts_hears_what_lives_and_not_what_is_over(database: Database) -> None:
    await revoke(database, "alive")
    await revoke(database, "over", lives=timedelta(seconds=-1))
    reader = Reader(database)
    await reader.read()
    assert reader.heard == {"alive"}


async def test_a_refused_transaction_writes_no_line(database: Database) -> None:
    class ChangedItsMindError(Exception):
        pass

    def work(unit: Unit) -> None:
        add_revocation(unit, NoticeKind.TOKEN, "never", unit.now() + IN_AN_HOUR)
        raise ChangedItsMindError

    told: list[str] = []
    database.listen(lambda notices: told.extend(notice.subject for notice in notices))
    with pytest.raises(ChangedItsMindError):
        await database.transact(work)
    reader = Reader(database)
    await reader.read()
    assert reader.heard == set()
    assert told == []


async def test_the_own_process_hears_right_after_the_commit(database: Database) -> None:
    told: list[str] = []
    database.listen(lambda notices: told.extend(notice.subject for notice in notices))
    await revoke(database, "one")
    assert told == ["one"]


async def test_pruning_takes_what_is_over_in_small_batches(database: Database) -> None:
    for number in range(5):
        await revoke(database, f"over-{number}", lives=timedelta(seconds=-1))
    await revoke(database, "alive")
    gone = [await database.transact(lambda unit: prune_revocations(unit, 2)) for _ in range(4)]
    assert gone == [2, 2, 1, 0]
    reader = Reader(database)
    await reader.read()
    assert reader.heard == {"alive"}


async def test_nothing_is_lost_when_transactions_commit_out_of_order(postgresql: Database) -> None:
    reader = Reader(postgresql)
    values = {"expires_at": datetime.now(UTC) + IN_AN_HOUR}
    async with postgresql.engine.connect() as slow, postgresql.engine.connect() as quick:
        await slow.execute(INSERT, {"subject": "began first", **values})
        await quick.execute(INSERT, {"subject": "committed first", **values})
        await quick.commit()
        await reader.read()
        assert reader.heard == {"committed first"}
        for number in range(3):
            await quick.execute(INSERT, {"subject": f"later {number}", **values})
            await quick.commit()
            await reader.read()
        await slow.commit()
    await reader.read()
    assert reader.heard == {"began first", "committed first", "later 0", "later 1", "later 2"}


async def test_nothing_is_lost_when_the_line_comes_late_in_an_old_transaction(postgresql: Database) -> None:
    reader = Reader(postgresql)
    values = {"expires_at": datetime.now(UTC) + IN_AN_HOUR}
    async with postgresql.engine.connect() as slow, postgresql.engine.connect() as quick:
        # It has its number long before it writes its line.
        await slow.execute(text("SELECT pg_current_xact_id()"))
        await quick.execute(INSERT, {"subject": "quick", **values})
        await quick.commit()
        await reader.read()
        await slow.execute(INSERT, {"subject": "slow", **values})
        await reader.read()
        await slow.commit()
    await reader.read()
    assert reader.heard == {"quick", "slow"}


async def test_nothing_is_lost_when_many_write_while_one_reads(database: Database) -> None:
    reader = Reader(database)
    expected = {f"{writer}-{number}" for writer in range(6) for number in range(10)}

    async def write(writer: int) -> None:
        for number in range(10):
            await revoke(database, f"{writer}-{number}")

    writers = asyncio.gather(*(write(writer) for writer in range(6)))
    while not writers.done():
        await reader.read()
    await writers
    await reader.read()
    assert reader.heard == expected


async def test_a_reading_settles_down_when_nothing_is_open(postgresql: Database) -> None:
    """Else every reading would fetch the whole feed again."""
    for number in range(5):
        await revoke(postgresql, str(number))
    reader = Reader(postgresql)
    # "Open" is what is open anywhere in the cluster, and other tests run in it too.
    async with asyncio.timeout(10):
        while not await reader.has_settled():  # noqa: ASYNC110 - nobody tells when a transaction ends elsewhere
            await asyncio.sleep(0.05)
    assert len(reader.heard) == 5


async def test_postgresql_tells_whoever_listens(postgresql: Database) -> None:
    connection = await postgresql.connect_driver()
    told = asyncio.Event()
    await connection.add_listener(CHANNEL, lambda *_: told.set())
    await revoke(postgresql, "one")
    assert await asyncio.wait_for(told.wait(), 5)
    await connection.close()


async def test_news_of_a_kind_that_only_newer_versions_know_is_passed_over(database: Database) -> None:
    async with database.engine.begin() as connection:
        sql = "INSERT INTO revocation (id, kind, subject, expires_at) VALUES (:id, 'unheard_of', 'x', :expires_at)"
        typed = text(sql).bindparams(bindparam("expires_at", type_=UTC_TIME), bindparam("id", type_=Uuid()))
        await connection.execute(typed, {"id": uuid4(), "expires_at": datetime.now(UTC) + IN_AN_HOUR})
    await revoke(database, "one")
    reading = await database.transact(lambda unit: read_feed(unit, 0), read_only=True)
    assert [notice.subject for notice in reading.notices] == ["one"]
