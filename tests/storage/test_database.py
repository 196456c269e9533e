"""The seam: nothing leaves before it is committed, nothing is kept that was refused, nothing is asked without need."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial

import anyio
import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import StatementError

from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.errors import DomainError, Unavailable
from authsrv.kit.identifiers import Identifiers
from authsrv.kit.secret_keys import SecretKeys
from authsrv.kit.vault import Vault
from authsrv.oauth.client_secrets import rotate_secret
from authsrv.oauth.registration import NewClient, create_client
from authsrv.oauth.scopes import ScopeCatalogue
from authsrv.operations.housekeeping import Housekeeping
from authsrv.operations.schema import migrate
from authsrv.settings import config_file, load_settings
from authsrv.storage.audit import add_audit_event, list_audit_events
from authsrv.storage.database import Database
from authsrv.storage.revocations import add_revocation
from authsrv.storage.stores import add_store, find_store
from authsrv.storage.unit import NoticeKind, Unit
from authsrv.storage.users import find_user
from tests.support.world import ManualClock

pytestmark = pytest.mark.anyio

SCOPES = ScopeCatalogue.read(config_file("scopes.toml"))


@pytest.fixture
async def database(empty_url: str, clock: ManualClock) -> AsyncIterator[Database]:
    database = await opened(empty_url, clock)
    yield database
    await database.close()


async def opened(url: str, clock: ManualClock, timeout_seconds: float = 5) -> Database:
    identifiers = Identifiers(clock, SystemEntropy())
    database = Database(url, clock=clock, identifiers=identifiers, timeout_seconds=timeout_seconds)
    await database.start()
    await migrate(database)
    return database


def add(unit: Unit, prefix: str) -> None:
    add_store(unit, prefix=prefix, name="A shop", currency="EUR")


async def exists(database: Database, prefix: str) -> bool:
    return await database.transact(lambda unit: find_store(unit, prefix), read_only=True) is not None


async def test_work_is_committed_when_the_answer_leaves(database: Database) -> None:
    await database.transact(lambda unit: add(unit, "one"))
    assert await exists(database, "one")


async def test_a_refusal_undoes_the_work(database: Database) -> None:
    def work(unit: Unit) -> None:
        add(unit, "one")
        raise DomainError("no", 400, "No.")

    with pytest.raises(DomainError):
        await database.transact(work)
    assert not await exists(database, "one")


async def test_a_refusal_that_has_to_be_remembered_is(database: Database) -> None:
    class Remembered(DomainError):
        keeps_writes = True

    def work(unit: Unit) -> None:
        add(unit, "one")
        add_revocation(unit, NoticeKind.TOKEN, "x", unit.now() + timedelta(hours=1))
        raise Remembered("no", 400, "No.")

    told: list[str] = []
    database.listen(lambda notices: told.extend(notice.subject for notice in notices))
    with pytest.raises(Remembered):
        await database.transact(work)
    assert await exists(database, "one")
    # The store announces itself too.
    assert told == ["one", "x"]


async def test_work_that_asks_nothing_costs_nothing(database: Database) -> None:
    before = database.statements
    assert await database.transact(lambda unit: unit.now()) is not None
    assert database.statements == before


async def test_work_that_is_tried_without_begins_anew_at_its_first_statement(database: Database) -> None:
    begun: list[Unit] = []

    def work(unit: Unit) -> bool:
        begun.append(unit)
        add(unit, "one")
        return True

    assert await database.transact(work, tries_without=True)
    assert len(begun) == 2
    assert await exists(database, "one")


async def test_work_that_is_tried_without_and_needs_nothing_is_done_at_once(database: Database) -> None:
    begun: list[Unit] = []

    def refuse(unit: Unit) -> None:
        begun.append(unit)
        raise DomainError("no", 400, "No.")

    before = database.statements
    assert await database.transact(lambda unit: unit.now(), tries_without=True) is not None
    with pytest.raises(DomainError):
        await database.transact(refuse, tries_without=True)
    assert len(begun) == 1
    assert database.statements == before


async def test_work_that_waits_too_long_is_unavailable_and_harms_nobody_else(
    postgres_url: str, clock: ManualClock
) -> None:
    database = await opened(postgres_url, clock, timeout_seconds=0.5)
    holding, release = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with database.engine.begin() as connection:
            await connection.execute(text("UPDATE store SET name = 'held'"))
            holding.set()
            await release.wait()

    await database.transact(lambda unit: add(unit, "one"))
    holder = asyncio.create_task(hold())
    await holding.wait()

    def work(unit: Unit) -> None:
        store = find_store(unit, "one")
        assert store is not None
        store.name = "changed"
        unit.session.add(store)

    with pytest.raises(Unavailable) as refused:
        await database.transact(work)
    assert refused.value.status == 503
    release.set()
    await holder
    await database.transact(work)
    await database.close()


async def test_many_writers_at_once_all_get_their_turn(database: Database) -> None:
    await asyncio.gather(*(database.transact(partial(add, prefix=f"s{at}")) for at in range(40)))
    assert all([await exists(database, f"s{at}") for at in range(40)])


async def test_times_come_back_as_they_went_in_and_a_time_without_a_zone_is_a_bug(
    database: Database, clock: ManualClock
) -> None:
    await database.transact(lambda unit: add_audit_event(unit, "x", actor="a", subject="b"))
    event = (await database.transact(list_audit_events))[0]
    assert event.created_at == clock.now()
    assert event.created_at.utcoffset() == timedelta(0)

    def work(unit: Unit) -> None:
        add_revocation(unit, NoticeKind.TOKEN, "x", datetime(2030, 1, 1))  # noqa: DTZ001 - the bug itself

    with pytest.raises(StatementError, match="without a zone"):
        await database.transact(work)


async def test_housekeeping_deletes_what_is_over_and_only_in_one_process(
    database: Database, clock: ManualClock
) -> None:
    keys = SecretKeys(["a secret of the tests, long enough for every purpose"])
    settings = load_settings(issuer="http://127.0.0.1")
    vault = Vault(keys, "signing key", SystemEntropy())
    one, other = (Housekeeping(database, vault, settings, clock, holder) for holder in ("one", "other"))

    def work(unit: Unit) -> None:
        for lives in (-1, -1, 3600):
            add_revocation(unit, NoticeKind.TOKEN, "x", unit.now() + timedelta(seconds=lives))
        add_audit_event(unit, "old", actor="a", subject="b")

    await database.transact(work)
    assert (await one.tidy())["revocations"] == 2
    assert await other.tidy() == {}
    clock.move(timedelta(seconds=settings.pruning.audit_seconds + 1))
    gone = await other.tidy()
    assert gone["audit_events"] == 1
    assert gone["revocations"] == 1


async def test_of_secrets_those_that_ended_long_ago_go(database: Database, clock: ManualClock) -> None:
    keys = Vault(SecretKeys(["a secret of the tests, long enough for every purpose"]), "signing key", SystemEntropy())
    housekeeping = Housekeeping(database, keys, load_settings(issuer="http://127.0.0.1"), clock, "one")
    new = NewClient(name="An app", developer="dev@example.com", type="service", scope="orders:read")

    def rotate_often(unit: Unit) -> None:
        client = create_client(unit, new, client_id="app_x", actor="test", scopes=SCOPES)
        for _ in range(3):
            rotate_secret(unit, client, SystemEntropy(), revoke_old=True, actor="test")

    await database.transact(rotate_often)
    assert (await housekeeping.tidy())["client_secrets"] == 0
    clock.move(timedelta(days=91))
    assert (await housekeeping.tidy())["client_secrets"] == 2


async def test_what_cannot_be_tidied_keeps_nothing_else_from_it(postgres_url: str, clock: ManualClock) -> None:
    database = await opened(postgres_url, clock, timeout_seconds=0.5)
    keys = Vault(SecretKeys(["a secret of the tests, long enough for every purpose"]), "signing key", SystemEntropy())
    housekeeping = Housekeeping(database, keys, load_settings(issuer="http://127.0.0.1"), clock, "one")
    blocker = await asyncpg.connect(postgres_url)
    async with blocker.transaction():
        await blocker.execute('LOCK TABLE "session" IN ACCESS EXCLUSIVE MODE')
        gone = await housekeeping.tidy()
    assert "sessions" not in gone
    assert {"grants", "email_codes", "audit_events"} <= gone.keys()
    assert "sessions" in await housekeeping.tidy()
    await blocker.close()
    await database.close()


async def test_a_url_of_another_kind_is_refused(clock: ManualClock) -> None:
    for url in ("mysql://x/y", "oracle://x"):
        with pytest.raises(ValueError, match="sqlite:///"):
            Database(url, clock=clock, identifiers=Identifiers(clock, SystemEntropy()))


async def test_the_password_of_the_database_is_never_shown(clock: ManualClock) -> None:
    database = Database(
        "postgresql://me:hunter2@127.0.0.1:1/x", clock=clock, identifiers=Identifiers(clock, SystemEntropy())
    )
    assert "hunter2" not in str(database.url)
    assert "hunter2" not in repr(database.url)


async def test_an_unknown_person_is_none(database: Database) -> None:
    assert await database.transact(lambda unit: find_user(unit, "nobody@example.com")) is None


async def test_opening_a_sqlite_file_again_leaves_the_first_its_locks(sqlite_file: str, clock: ManualClock) -> None:
    """Without them another process that ends takes the log for nobody's, and with it what was committed since."""
    path = sqlite_file.removeprefix("sqlite:///")
    first = await opened(sqlite_file, clock)
    await first.transact(lambda unit: add_store(unit, prefix="one", name="One", currency="EUR"))
    second = await opened(sqlite_file, clock)
    await second.close()
    look = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT * FROM store')"
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", look, path)
    assert await other.wait() == 0
    assert await anyio.Path(f"{path}-wal").exists()
    await first.transact(lambda unit: add_store(unit, prefix="two", name="Two", currency="EUR"))
    await first.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM store").fetchone() == (2,)
