"""The schema's version: what the database has, what this code needs, and the way there (Alembic)."""

from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from authsrv.kit.errors import Unavailable
from authsrv.storage import migrations
from authsrv.storage.database import Database

# Any number nobody else in this database uses: "asrvmigr" as ASCII.
_LOCK = int.from_bytes(b"asrvmigr", "big")


class SchemaOutOfDate(Exception):
    """The database needs `authsrv migrate`."""


async def ensure_schema(database: Database) -> None:
    """On SQLite migrates; on PostgreSQL raises SchemaOutOfDate, since there a person or a deploy step decides when."""
    if await schema_is_current(database):
        return
    if not database.is_sqlite:
        raise SchemaOutOfDate("The database schema is not up to date. Run: authsrv migrate")
    await migrate(database)


async def schema_is_current(database: Database) -> bool:
    """Whether the database is at the newest migration. Raises Unavailable when it cannot be asked."""
    try:
        async with database.engine.connect() as connection:
            return await connection.run_sync(_current) == newest()
    except (OSError, TimeoutError, asyncpg.PostgresError, DBAPIError) as away:
        raise Unavailable(f"the database is away: {type(away).__name__}") from away


async def migrate(database: Database) -> None:
    """Brings the schema to the newest migration; several at once wait for each other, and only the first does it."""
    async with database.engine.begin() as connection:
        await connection.run_sync(_upgrade)


def newest() -> str:
    """The newest migration this code has."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None  # noqa: S101 - the package ships at least one migration
    return head


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    return config
