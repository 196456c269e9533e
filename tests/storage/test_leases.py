"""A lease has one holder, however many ask for it at once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.identifiers import Identifiers
from authsrv.operations.schema import migrate
from authsrv.storage.database import Database
from authsrv.storage.leases import take_lease
from authsrv.storage.unit import Unit
from tests.support.world import ManualClock

pytestmark = pytest.mark.anyio
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def databases(empty_url: str, clock: ManualClock) -> AsyncIterator[list[Database]]:
    """The same database as three processes have it."""
    opened = [Database(empty_url, clock=clock, identifiers=Identifiers(clock, SystemEntropy())) for _ in range(3)]
    for database in opened:
        await database.start()
    await migrate(opened[0])
    yield opened
    for database in opened:
        await database.close()


async def take(database: Database, holder: str) -> bool:
    return await database.transact(lambda unit: take_lease(unit, "tidying", holder, MINUTE))


async def test_of_all_who_ask_at_once_one_gets_it(databases: list[Database], clock: ManualClock) -> None:
    for round_number in range(3):
        asked = [take(database, f"{round_number}-{place}") for place, database in enumerate(databases * 4)]
        assert sum(await asyncio.gather(*asked)) == 1
        clock.move(MINUTE)


async def test_its_holder_keeps_it_and_everybody_else_waits(databases: list[Database], clock: ManualClock) -> None:
    one, other, _ = databases
    assert await take(one, "one")
    clock.move(MINUTE / 2)
    assert await take(one, "one")
    clock.move(MINUTE / 2)
    assert not await take(other, "other")
    clock.move(MINUTE / 2)
    # The holder is gone: the next may have it, and the first comes too late.
    assert await take(other, "other")
    assert not await take(one, "one")


async def test_different_rights_have_different_holders(databases: list[Database]) -> None:
    def both(unit: Unit) -> tuple[bool, bool]:
        return take_lease(unit, "tidying", "one", MINUTE), take_lease(unit, "posting", "one", MINUTE)

    assert await databases[0].transact(both) == (True, True)
    assert not await take(databases[1], "other")
