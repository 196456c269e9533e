"""Migrations: from nothing they lead to what the models say, and rows come through."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from authsrv.kit.clock import SystemClock
from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.identifiers import Identifiers
from authsrv.operations.schema import SchemaOutOfDate, ensure_schema, migrate, newest, schema_is_current
from authsrv.storage import migrations
from authsrv.storage.client_members import find_app_of
from authsrv.storage.database import Database
from authsrv.storage.models import METADATA, TABLES
from authsrv.storage.stores import add_store, find_store
from authsrv.storage.users import find_user

pytestmark = pytest.mark.anyio
FIRST = "0001"


@pytest.fixture
async def database(empty_url: str) -> AsyncIterator[Database]:
    clock = SystemClock()
    opened = Database(empty_url, clock=clock, identifiers=Identifiers(clock, SystemEntropy()))
    await opened.start()
    yield opened
    await opened.close()


def upgrade(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, METADATA))


def uuid7_of(database: Database, number: int) -> UUID | str:
    """An id as the driver takes it in plain SQL."""
    made = UUID(f"0192f0c1-2345-7abc-8def-{number:012}")
    return made.hex if database.is_sqlite else made


async def test_from_nothing_they_lead_to_what_the_models_say(database: Database) -> None:
    await migrate(database)
    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
        tables = await connection.run_sync(lambda plain: set(inspect(plain).get_table_names()))
    assert tables == {table.__tablename__ for table in TABLES} | {"alembic_version"}


async def test_running_them_again_changes_nothing(database: Database) -> None:
    await migrate(database)
    await database.transact(lambda unit: add_store(unit, prefix="demo", name="A shop", currency="EUR"))
    await migrate(database)
    await ensure_schema(database)
    assert await schema_is_current(database)
    assert await database.transact(lambda unit: find_store(unit, "demo")) is not None


async def test_rows_of_the_first_schema_come_through_to_the_newest(database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.run_sync(upgrade, FIRST)
        await connection.execute(
            text("INSERT INTO store VALUES (:id, 'old', 'Old shop', 'EUR', '2026-01-01 00:00:00')"),
            {"id": uuid7_of(database, 1)},
        )
        await connection.execute(
            text(
                'INSERT INTO "user" (id, email, name, is_operator, created_at)'
                " VALUES (:id, 'old@example.com', 'Old', false, '2026-01-01 00:00:00')"
            ),
            {"id": uuid7_of(database, 2)},
        )
    await migrate(database)
    store = await database.transact(lambda unit: find_store(unit, "old"))
    person = await database.transact(lambda unit: find_user(unit, "old@example.com"))
    assert store is not None
    assert store.name == "Old shop"
    assert person is not None


async def test_whoever_made_an_app_before_there_were_teams_is_its_admin(database: Database) -> None:
    maker, app = uuid7_of(database, 2), uuid7_of(database, 3)
    async with database.engine.begin() as connection:
        await connection.run_sync(upgrade, "0004")
        await connection.execute(
            text(
                'INSERT INTO "user" (id, email, name, is_operator, created_at)'
                " VALUES (:id, 'old@example.com', 'Old', false, '2026-01-01 00:00:00')"
            ),
            {"id": maker},
        )
        await connection.execute(
            text(
                "INSERT INTO client (id, client_id, name, type, developer_id, scope, grant_types, redirect_uris,"
                " post_logout_redirect_uris, pkce, token_format, signing_alg, id_token_alg, is_resource_server,"
                " rotates_refresh_tokens, created_at, updated_at)"
                " VALUES (:id, 'app_old', 'Old app', 'web', :maker, 'openid', '[]', '[]', '[]', 'required', 'jwt',"
                " 'ES256', 'RS256', false, true, '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
            ),
            {"id": app, "maker": maker},
        )
    await migrate(database)
    person = await database.transact(lambda unit: find_user(unit, "old@example.com"))
    assert person is not None
    found = await database.transact(lambda unit: find_app_of(unit, "app_old", person.id))
    assert found is not None
    assert (found[0].name, found[1]) == ("Old app", "admin")


async def test_an_old_schema_is_migrated_on_sqlite_and_refused_on_postgresql(database: Database) -> None:
    if database.is_sqlite:
        await ensure_schema(database)
        assert await schema_is_current(database)
    else:
        with pytest.raises(SchemaOutOfDate, match="authsrv migrate"):
            await ensure_schema(database)


def test_there_is_one_way_and_it_has_no_fork() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [newest()]
    assert script.get_bases() == [FIRST]
