"""An app that is not approved, more stores than it may be connected to, and a process that connects some of them."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from sqlmodel import col, select

from authsrv.kit.clock import Clock, SystemClock
from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.identifiers import Identifiers
from authsrv.oauth.connecting import MOST_UNAPPROVED
from authsrv.oauth.registration import NewClient, create_client, new_client_id
from authsrv.oauth.scopes import ScopeCatalogue
from authsrv.settings import config_file
from authsrv.storage.connections import Connection, add_connected_grant, connect_store, count_connections
from authsrv.storage.database import Database
from authsrv.storage.grants import Grant
from authsrv.storage.stores import add_store
from authsrv.storage.unit import Unit
from authsrv.storage.users import add_user

STORES = 36


class Scene:
    """The app, a person, and the stores."""

    def __init__(self, database: Database, client_id: UUID, user_id: UUID, stores: Sequence[UUID]) -> None:
        self.database = database
        self.client_id = client_id
        self.user_id = user_id
        self.stores = stores

    @classmethod
    async def begin(cls, database: Database) -> "Scene":
        def work(unit: Unit) -> Scene:
            entropy, scopes = SystemEntropy(), ScopeCatalogue.read(config_file("scopes.toml"))
            new = NewClient(name="App", developer="dev@example.com", type="web", redirect_uris=["https://a.example/"])
            client = create_client(unit, new, client_id=new_client_id(entropy), actor="test", scopes=scopes)
            own = uuid4().hex[:12]
            user = add_user(unit, email=f"{own}@example.com")
            stores = [add_store(unit, prefix=f"{own}-{n}", name=f"Shop {n:02}", currency="EUR") for n in range(STORES)]
            return cls(database, client.id, user.id, [store.id for store in stores])

        return await database.transact(work)

    async def connect(self, *numbers: int, most: int | None = MOST_UNAPPROVED) -> int:
        """Connects the stores of these numbers, all at once; how many are connected now."""
        tries = [self.database.transact(self._allowed(number, most)) for number in numbers]
        return sum(await asyncio.gather(*tries))

    async def connect_beforehand(self, count: int) -> None:
        """Connects the first `count` stores, one after another, in one transaction."""

        def work(unit: Unit) -> int:
            return sum(self._allowed(number, MOST_UNAPPROVED)(unit) for number in range(count))

        assert await self.database.transact(work) == count

    async def count(self) -> int:
        return await self.database.transact(lambda unit: count_connections(unit, self.client_id))

    async def places(self) -> list[int | None]:
        query = select(Connection.place).where(col(Connection.client_id) == self.client_id)
        return await self.database.transact(lambda unit: list(unit.session.exec(query.order_by(col(Connection.place)))))

    def grant(self, unit: Unit, number: int, *, lives: timedelta = timedelta(days=1)) -> Grant:
        """A grant in the store of this number, not stored."""
        now = unit.now()
        return Grant(
            id=unit.new_id(),
            user_id=self.user_id,
            client_id=self.client_id,
            store_id=self.stores[number],
            scope="orders:read",
            requested_scope="orders:read",
            auth_time=now,
            created_at=now,
            expires_at=now + lives,
        )

    def _allowed(self, number: int, most: int | None) -> "Allow":
        return Allow(self, number, most)


class Allow:
    """What a consent does below the seam: connects the app and makes the grant, or neither."""

    def __init__(self, scene: Scene, number: int, most: int | None) -> None:
        self._scene = scene
        self._number = number
        self._most = most

    def __call__(self, unit: Unit) -> bool:
        scene = self._scene
        if not connect_store(unit, scene.client_id, scene.stores[self._number], most=self._most):
            return False
        return add_connected_grant(unit, scene.grant(unit, self._number))


async def open_database(url: str, clock: Clock | None = None) -> Database:
    clock = clock or SystemClock()
    database = Database(url, clock=clock, identifiers=Identifiers(clock, SystemEntropy()), timeout_seconds=20)
    await database.start()
    return database


async def _race(url: str, client_id: str, user_id: str, *stores: str) -> None:
    database = await open_database(url)
    scene = Scene(database, UUID(client_id), UUID(user_id), [UUID(store) for store in stores])
    print("ready", flush=True)
    sys.stdin.readline()
    print(await scene.connect(*range(len(stores))))
    await database.close()


if __name__ == "__main__":
    asyncio.run(_race(*sys.argv[1:]))
