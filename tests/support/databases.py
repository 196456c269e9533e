"""Migrated databases, made once a run and copied: a migration from nothing takes longer than most tests."""

import asyncio
import sqlite3
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
from sqlalchemy.engine import make_url

from authsrv.kit.clock import SystemClock
from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.identifiers import Identifiers
from authsrv.operations.schema import migrate
from authsrv.storage.database import Database

_TEMPLATE = "migrated"


def migrate_to_head(url: str) -> None:
    """What `authsrv migrate` makes of an empty database, without a process."""
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        assert parts.database
        Path(parts.database).write_bytes(_migrated_file())
    else:
        asyncio.run(_copy_template(url))


@cache
def _migrated_file() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "migrated.db"
        asyncio.run(_migrate(f"sqlite:///{file}"))
        with sqlite3.connect(file) as connection:
            # What still lies in the log would not be in the copy.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        return file.read_bytes()


async def _migrate(url: str) -> None:
    clock = SystemClock()
    database = Database(url, clock=clock, identifiers=Identifiers(clock, SystemEntropy()))
    await database.start()
    await migrate(database)
    await database.close()


async def _copy_template(url: str) -> None:
    """Replaces the empty database by a copy; whoever comes first in this cluster makes what is copied."""
    parts = make_url(url)
    admin = await asyncpg.connect(parts.set(database="postgres").render_as_string(hide_password=False))
    try:
        async with admin.transaction():
            await admin.execute("SELECT pg_advisory_xact_lock(1)")
            # Not inside this transaction: a database cannot be made in one.
            await _ensure_template(url)
        await admin.execute(f'DROP DATABASE "{parts.database}"')
        await admin.execute(f'CREATE DATABASE "{parts.database}" TEMPLATE {_TEMPLATE}')
    finally:
        await admin.close()


async def _ensure_template(url: str) -> None:
    parts = make_url(url)
    maker = await asyncpg.connect(parts.set(database="postgres").render_as_string(hide_password=False))
    try:
        if await maker.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", _TEMPLATE):
            return
        unfinished = f"{_TEMPLATE}_unfinished"
        await maker.execute(f"CREATE DATABASE {unfinished} TEMPLATE template0")
        await _migrate(parts.set(database=unfinished).render_as_string(hide_password=False))
        await maker.execute(f"ALTER DATABASE {unfinished} RENAME TO {_TEMPLATE}")
    finally:
        await maker.close()
