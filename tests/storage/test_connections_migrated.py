"""Apps that were connected before connections were counted keep their stores, in the order in which they got them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Uuid, bindparam, text

from authsrv.operations.schema import migrate
from authsrv.storage.columns import UTC_TIME
from authsrv.storage.connections import connect_store, count_connections
from authsrv.storage.database import Database
from tests.rules.test_migrations import upgrade
from tests.storage.connecting import open_database

pytestmark = pytest.mark.anyio

BEFORE = "0006"
STORES = 32
NEW, APPROVED, USER = 1, 2, 3
FIRST = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def database(empty_url: str) -> AsyncIterator[Database]:
    opened = await open_database(empty_url)
    yield opened
    await opened.close()


def made(number: int) -> UUID:
    return UUID(f"0192f0c1-2345-7abc-8def-{number:012}")


_CLIENT = (
    "INSERT INTO client (id, client_id, name, type, developer_id, scope, grant_types, redirect_uris,"
    " post_logout_redirect_uris, pkce, token_format, signing_alg, id_token_alg, is_resource_server,"
    " rotates_refresh_tokens, created_at, updated_at) VALUES (:id, :name, 'App', 'web', :user, 'orders:read', '[]',"
    " '[]', '[]', 'required', 'jwt', 'ES256', 'RS256', false, true, '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
)
_STORE = "INSERT INTO store VALUES (:id, :prefix, 'A shop', 'EUR', '2026-01-01 00:00:00')"
_USER = (
    'INSERT INTO "user" (id, email, name, is_operator, created_at)'
    " VALUES (:id, 'nell@example.com', 'Nell', false, '2026-01-01 00:00:00')"
)
_GRANT = (
    'INSERT INTO "grant" (id, user_id, client_id, store_id, scope, requested_scope, auth_time, generation, revoked_at,'
    " created_at, expires_at) VALUES (:id, :user, :client, :store, 'orders:read', 'orders:read', :at, 0, :ended, :at,"
    " '2099-01-01 00:00:00')"
)


async def fill(database: Database) -> None:
    """Two apps, one approved, with two grants in each of the stores, and two in a last store that were revoked."""
    async with database.engine.begin() as connection:
        await connection.run_sync(upgrade, BEFORE)
        await connection.run_sync(write_rows)


def write_rows(connection: Connection) -> None:
    def run(sql: str, **values: object) -> None:
        types: dict[str, Any] = {"id": Uuid(), "user": Uuid(), "client": Uuid(), "store": Uuid()}
        types |= {"at": UTC_TIME, "ended": UTC_TIME}
        typed = [bindparam(name, type_=types[name]) for name in values if name in types]
        connection.execute(text(sql).bindparams(*typed), values)

    run(_USER, id=made(USER))
    for client in (NEW, APPROVED):
        run(_CLIENT, id=made(client), name=f"app{client}", user=made(USER))
    run("UPDATE client SET approved_at = created_at WHERE id = :id", id=made(APPROVED))
    for number in range(STORES + 1):
        store = made(100 + number)
        run(_STORE, id=store, prefix=f"s{number}")
        for client, again in product((NEW, APPROVED), range(2)):
            # The later the store, the earlier its first grant.
            at = FIRST + timedelta(days=2 * (STORES - number) + again)
            ended = at if number == STORES else None
            grant = made(1000 * client + 10 * number + again)
            run(_GRANT, id=grant, user=made(USER), client=made(client), store=store, at=at, ended=ended)


async def test_they_keep_all_their_stores_and_gain_none(database: Database) -> None:
    await fill(database)
    await migrate(database)
    async with database.engine.connect() as connection:
        rows = await connection.execute(
            text(
                "SELECT store.prefix, place FROM connection JOIN store ON store.id = store_id"
                " WHERE client_id = :id ORDER BY place"
            ).bindparams(bindparam("id", type_=Uuid())),
            {"id": made(NEW)},
        )
        places = [tuple(row) for row in rows]
    assert places == [(f"s{STORES - place}", place) for place in range(1, STORES + 1)]
    for client in (made(NEW), made(APPROVED)):
        assert await database.transact(partial(count_connections, client_row_id=client)) == STORES
    last = made(100 + STORES)
    assert not await database.transact(lambda unit: connect_store(unit, made(NEW), last, most=30))
    assert await database.transact(lambda unit: connect_store(unit, made(NEW), made(100), most=30))
    assert await database.transact(lambda unit: connect_store(unit, made(APPROVED), last, most=None))
