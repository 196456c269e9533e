"""Migrated databases, made once a run and copied: a migration from nothing takes longer than most tests."""

import asyncio
import sqlite3
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
from sqlalchemy.engine import make_url

from authsrv.kit.clock import SystemClock
from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.identifiers import Identifiers
from authsrv.kit.secret_keys import SecretKeys
from authsrv.kit.vault import Vault
from authsrv.oauth.keyring import ensure_keys
from authsrv.operations.schema import migrate
from authsrv.storage.database import Database
from tests.support.world import SECRET_KEY


def migrate_to_head(url: str) -> None:
    """What `authsrv migrate` makes of an empty database, without a process."""
    _copy(url, secret=None)


def migrate_with_keys(url: str) -> None:
    """The same, and a server's first signing keys: making its own is what takes longest when a `World` begins."""
    _copy(url, secret=SECRET_KEY)


def _copy(url: str, secret: str | None) -> None:
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        assert parts.database
        Path(parts.database).write_bytes(_migrated_file(secret))
    else:
        asyncio.run(_copy_template(url, secret))


@cache
def _migrated_file(secret: str | None) -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "migrated.db"
        asyncio.run(_migrate(f"sqlite:///{file}", secret))
        with sqlite3.connect(file) as connection:
            # What still lies in the log would not be in the copy.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        return file.read_bytes()


async def _migrate(url: str, secret: str | None) -> None:
    clock = SystemClock()
    database = Database(url, clock=clock, identifiers=Identifiers(clock, SystemEntropy()))
    await database.start()
    await migrate(database)
    if secret is not None:
        vault = Vault(SecretKeys([secret]), "signing key", SystemEntropy())
        await database.transact(lambda unit: ensure_keys(unit, vault))
    await database.close()


async def _copy_template(url: str, secret: str | None) -> None:
    """Replaces the empty database by a copy; whoever comes first in this cluster makes what is copied."""
    parts = make_url(url)
    template = "migrated" if secret is None else f"migrated_{sha256(secret.encode()).hexdigest()[:16]}"
    admin = await asyncpg.connect(parts.set(database="postgres").render_as_string(hide_password=False))
    try:
        async with admin.transaction():
            await admin.execute("SELECT pg_advisory_xact_lock(1)")
            # Not inside this transaction: a database cannot be made in one.
            await _ensure_template(url, template, secret)
        await admin.execute(f'DROP DATABASE "{parts.database}"')
        await admin.execute(f'CREATE DATABASE "{parts.database}" TEMPLATE {template}')
    finally:
        await admin.close()


async def _ensure_template(url: str, template: str, secret: str | None) -> None:
    parts = make_url(url)
    maker = await asyncpg.connect(parts.set(database="postgres").render_as_string(hide_password=False))
    try:
        if await maker.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", template):
            return
        unfinished = f"{template}_unfinished"
        await maker.execute(f"CREATE DATABASE {unfinished} TEMPLATE template0")
        await _migrate(parts.set(database=unfinished).render_as_string(hide_password=False), secret)
        await maker.execute(f"ALTER DATABASE {unfinished} RENAME TO {template}")
    finally:
        await maker.close()
