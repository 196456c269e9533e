"""The places of an app that is not approved: however many come at once, no place is taken twice and none too many."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.util import await_only
from sqlmodel import select

from authsrv.oauth.connecting import MOST_UNAPPROVED
from authsrv.storage.connections import add_connected_grant, connect_store, list_connected_prefixes
from authsrv.storage.grants import Grant, revoke_grant
from authsrv.storage.unit import Unit
from tests.storage.connecting import STORES, Scene, open_database
from tests.support.world import ManualClock, World

pytestmark = pytest.mark.anyio

REPOSITORY = Path(__file__).parents[2]


async def start_racer(url: str, scene: Scene, stores: Sequence[UUID]) -> Process:
    """A process that connects these stores, all at once, when it is told to go."""
    ids = (scene.client_id, scene.user_id, *stores)
    command = [sys.executable, "-m", "tests.storage.connecting", url, *map(str, ids)]
    return await create_subprocess_exec(*command, cwd=REPOSITORY, stdin=PIPE, stdout=PIPE)


@pytest.fixture
def url(world: World) -> str:
    """The running server's database; each test opens it for itself, with a clock of its own."""
    return world.settings.database_url.get_secret_value()


@pytest.fixture
async def scene(url: str, clock: ManualClock) -> AsyncIterator[Scene]:
    database = await open_database(url, clock)
    yield await Scene.begin(database)
    await database.close()


async def test_thirty_stores_are_connected_and_each_again_but_not_one_more(scene: Scene) -> None:
    assert await scene.connect(*range(MOST_UNAPPROVED)) == 30
    assert await scene.connect(MOST_UNAPPROVED) == 0
    assert await scene.connect(*range(MOST_UNAPPROVED)) == 30
    assert await scene.count() == 30
    assert await scene.places() == list(range(1, 31))


async def test_of_many_who_come_for_the_thirtieth_place_at_once_one_gets_it(scene: Scene) -> None:
    await scene.connect_beforehand(29)
    assert await scene.connect(*range(29, STORES)) == 1
    assert await scene.count() == 30


async def test_who_connects_one_store_many_times_at_once_takes_one_place(scene: Scene) -> None:
    assert await scene.connect(*[0] * 6) == 6
    assert await scene.places() == [1]


async def test_of_two_processes_that_race_for_two_places_they_get_two(scene: Scene, url: str) -> None:
    await scene.connect_beforehand(28)
    halves = scene.stores[28:32], scene.stores[32:36]
    racers = [await start_racer(url, scene, stores) for stores in halves]
    # Both stand at the line before either runs.
    assert [await racer.stdout.readline() for racer in racers if racer.stdout] == [b"ready\n"] * 2
    said = await asyncio.gather(*(racer.communicate(b"go\n") for racer in racers))
    won = [int(output) for output, _ in said]
    assert sum(won) == 2
    assert await scene.count() == 30


async def test_an_approved_app_is_connected_to_as_many_as_come(scene: Scene) -> None:
    assert await scene.connect(*range(STORES), most=None) == STORES
    assert await scene.places() == [None] * STORES
    # Were it no longer approved, it would keep them and gain none.
    assert await scene.connect(0) == 1
    assert await scene.count() == STORES


@pytest.mark.parametrize("ended_by", ["revocation", "expiry"])
async def test_a_store_whose_last_grant_has_ended_gives_its_place_to_another(
    scene: Scene, clock: ManualClock, ended_by: str
) -> None:
    await scene.connect_beforehand(29)
    lives = timedelta(minutes=5)

    def connect_last(unit: Unit) -> None:
        assert connect_store(unit, scene.client_id, scene.stores[29], most=MOST_UNAPPROVED)
        for _ in range(2):
            assert add_connected_grant(unit, scene.grant(unit, 29, lives=lives))

    await scene.database.transact(connect_last)
    grants = await scene.database.transact(
        lambda unit: list(unit.session.exec(select(Grant.id).where(Grant.store_id == scene.stores[29])))
    )
    if ended_by == "revocation":
        await scene.database.transact(lambda unit: revoke_grant(unit, grants[0], unit.now()))
        assert await scene.connect(30) == 0
        await scene.database.transact(lambda unit: revoke_grant(unit, grants[1], unit.now()))
    else:
        clock.move(lives + timedelta(seconds=1))
    assert await scene.count() == 29
    assert await scene.connect(30) == 1
    assert await scene.connect(29) == 0
    assert await scene.places() == list(range(1, 31))


async def test_a_place_is_not_taken_from_a_store_that_is_just_being_connected_again(scene: Scene) -> None:
    await scene.connect_beforehand(30)
    database = scene.database
    grants = await database.transact(
        lambda unit: list(unit.session.exec(select(Grant.id).where(Grant.store_id == scene.stores[29])))
    )
    await database.transact(lambda unit: revoke_grant(unit, grants[0], unit.now()))
    is_connected, may_go_on = asyncio.Event(), asyncio.Event()

    def connect_again(unit: Unit) -> bool:
        connect_store(unit, scene.client_id, scene.stores[29], most=MOST_UNAPPROVED)
        is_connected.set()
        await_only(may_go_on.wait())
        return add_connected_grant(unit, scene.grant(unit, 29))

    again = asyncio.create_task(database.transact(connect_again))
    await is_connected.wait()
    other = asyncio.create_task(scene.connect(30))
    if not database.is_sqlite:
        await until_it_waits(scene, other)
    may_go_on.set()
    assert (await again, await other) == (True, 0)
    assert await scene.count() == 30


async def until_it_waits(scene: Scene, task: "asyncio.Task[int]") -> None:
    """Returns once the task waits for a lock in the database, or is done."""
    waits = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    while not task.done():
        if await scene.database.transact(lambda unit: unit.session.execute(waits).scalar_one(), read_only=True):
            return
        await asyncio.sleep(0.01)


async def test_no_grant_is_stored_in_a_store_that_is_not_connected(scene: Scene) -> None:
    stored = await scene.database.transact(lambda unit: add_connected_grant(unit, scene.grant(unit, 0)))
    assert not stored
    assert await scene.count() == 0


async def test_the_connected_stores_are_listed_by_name(scene: Scene) -> None:
    await scene.connect(10, 3)
    prefixes = await scene.database.transact(lambda unit: list_connected_prefixes(unit, scene.client_id))
    assert [prefix.rpartition("-")[2] for prefix in prefixes] == ["3", "10"]
