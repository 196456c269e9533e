"""The schema's version: what the database has, what this code needs, and the way there (Alembic)."""

from pathlib import Path

import asyncpg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from authsrv.kit.errors import Unavailable
from authsrv.storage import migrations
from authsrv.storage.database import Database
from authsrv.storage.schema_version import find_schema_version, lock_schema

_VERSIONS = Path(migrations.__file__).parent / "versions"


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
            return await connection.run_sync(find_schema_version) == newest()
    except (OSError, TimeoutError, asyncpg.PostgresError, DBAPIError) as away:
        raise Unavailable(f"the database is away: {type(away).__name__}") from away


async def migrate(database: Database) -> None:
    """Brings the schema to the newest migration; several at once wait for each other, and only the first does it."""
    async with database.engine.begin() as connection:
        await connection.run_sync(_upgrade)


def newest() -> str:
    """The newest migration this code has: its number stands in front of its file's name."""
    return max(path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*.py"))


def _upgrade(connection: Connection) -> None:
    # Only here: a worker that finds its schema up to date need not carry Alembic in its memory.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    lock_schema(connection)
    config = Config()
    config.set_main_option("script_location", str(_VERSIONS.parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
