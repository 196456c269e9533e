"""Servers with two workers on each engine, and people's grants put straight into their database."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest

from authsrv.kit.clock import SystemClock
from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.handles import Handle, HandleSealer
from authsrv.kit.identifiers import Identifiers
from authsrv.kit.secret_keys import SecretKeys
from authsrv.oauth.grants.authorization_code import challenge_of
from authsrv.oauth.issuing import AUTHORIZATION_CODE, REFRESH_TOKEN
from authsrv.oauth.registration import NewClient, add_secret, create_client, new_client_id
from authsrv.oauth.scopes import ScopeCatalogue
from authsrv.settings import config_file
from authsrv.storage.audit import list_audit_events
from authsrv.storage.database import Database
from authsrv.storage.grants import Grant
from authsrv.storage.unit import Unit
from authsrv.storage.users import add_user
from tests.conftest import ENGINES
from tests.rotation.engine import VERIFIER, PlainSqlite, Postgres
from tests.support import processes
from tests.support.databases import migrate_to_head
from tests.support.postgres import PostgresCluster
from tests.support.server import ServerProcess
from tests.support.traffic import FORM, SECRET_KEY, Answer, Caller, settings_of
from tests.support.world import ManualClock

T = TypeVar("T")
CALLBACK = "https://app.example/callback"


@dataclass(frozen=True)
class Workers:
    """A server of two processes, and a way below its seam to set the scene."""

    server: ServerProcess
    database_url: str

    def transact(self, work: Callable[[Unit], T]) -> T:
        async def go() -> T:
            clock = SystemClock()
            database = Database(
                self.database_url, clock=clock, identifiers=Identifiers(clock, SystemEntropy()), timeout_seconds=20
            )
            await database.start()
            try:
                return await database.transact(work)
            finally:
                await database.close()

        return asyncio.run(go())


@dataclass(frozen=True)
class ConnectedApp:
    """An app that a person allowed, at one moment between the code and the first refresh."""

    workers: Workers
    client_id: str
    client_secret: str
    grant_id: UUID

    @property
    def code(self) -> str:
        return _sealer().seal(AUTHORIZATION_CODE, Handle(self.grant_id, 0))

    @property
    def refresh_token(self) -> str:
        return _sealer().seal(REFRESH_TOKEN, Handle(self.grant_id, 0))

    def post(self, path: str, **form: str) -> Answer:
        """One request on a connection of its own, to whichever worker takes it."""
        caller = Caller(self.workers.server.port, self.client_id, self.client_secret, timeout=60)
        if self.client_secret:
            return caller.post_form(path, **form)
        body = urlencode({**form, "client_id": self.client_id}).encode()
        return caller.call("POST", path, body, {"Content-Type": FORM})

    def refresh(self, refresh_token: str) -> Answer:
        return self.post("/oauth/token", grant_type="refresh_token", refresh_token=refresh_token)

    def redeem(self) -> Answer:
        form = {"grant_type": "authorization_code", "code": self.code, "redirect_uri": CALLBACK}
        return self.post("/oauth/token", **form, code_verifier=VERIFIER)

    def events(self) -> list[str]:
        """What the audit log says of the grant, oldest first."""
        found = self.workers.transact(lambda unit: list_audit_events(unit, subject=str(self.grant_id), limit=1000))
        return [event.event for event in reversed(found)]


@pytest.fixture
def sqlite_seam(clock: ManualClock) -> Iterator[PlainSqlite]:
    seam = PlainSqlite(clock)
    yield seam
    seam.close()


@pytest.fixture
def postgresql_seam(postgres_url: str, clock: ManualClock) -> Iterator[Postgres]:
    migrate_to_head(postgres_url)
    seam = Postgres(postgres_url, clock)
    yield seam
    seam.close()


@pytest.fixture
def private_postgresql_seam(private_postgres: PostgresCluster, clock: ManualClock) -> Iterator[Postgres]:
    """In a cluster where nobody else holds a transaction open, which would keep what is over from being tidied up."""
    private_postgres.create_database("grants")
    migrate_to_head(private_postgres.url("grants"))
    seam = Postgres(private_postgres.url("grants"), clock)
    yield seam
    seam.close()


@pytest.fixture(scope="module", params=ENGINES)
def workers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres: PostgresCluster
) -> Iterator[Workers]:
    """Two worker processes on each engine in turn."""
    folder, name = tmp_path_factory.mktemp("workers"), f"workers_{uuid4().hex}"
    if request.param == "sqlite":
        url = f"sqlite:///{folder / 'authsrv.db'}"
    else:
        postgres.create_database(name)
        url = postgres.url(name)
    migrate_to_head(url)
    # Two cores run clients, workers and database at once: waiting is no fault of theirs.
    settings = settings_of(url, database__timeout_seconds="30", mail_url="outbox:", limits__token_per_client="off")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "READY_SECONDS", 90.0)
        server = ServerProcess(folder, settings, "--workers", "2")
    with server:
        yield Workers(server, url)
    if request.param != "sqlite":
        postgres.drop_database(name)


@pytest.fixture
def connect(workers: Workers) -> Callable[..., ConnectedApp]:
    """`connect("spa", is_redeemed=True)`: an app with a person's grant."""

    def make(kind: str, *, is_redeemed: bool) -> ConnectedApp:
        return workers.transact(lambda unit: _connect(unit, workers, kind, is_redeemed=is_redeemed))

    return make


def _connect(unit: Unit, workers: Workers, kind: str, *, is_redeemed: bool) -> ConnectedApp:
    entropy, scopes, now = SystemEntropy(), ScopeCatalogue.read(config_file("scopes.toml")), unit.now()
    new = NewClient("An app", "dev@example.com", kind, "orders:read", redirect_uris=[CALLBACK])
    client = create_client(unit, new, client_id=new_client_id(entropy), actor="test", scopes=scopes)
    secret = "" if kind == "spa" else add_secret(unit, client, entropy)
    own: dict[str, Any] = {"scope": "orders:read", "requested_scope": "orders:read", "redirect_uri": CALLBACK}
    grant = Grant(
        id=unit.new_id(),
        user_id=add_user(unit, email=f"{uuid4().hex}@example.com").id,
        client_id=client.id,
        auth_time=now,
        code_challenge=challenge_of(VERIFIER),
        is_refreshable=True,
        code_expires_at=now + timedelta(minutes=5),
        redeemed_at=now if is_redeemed else None,
        created_at=now,
        expires_at=now + timedelta(days=1),
        **own,
    )
    unit.session.add(grant)
    return ConnectedApp(workers, client.client_id, secret, grant.id)


def _sealer() -> HandleSealer:
    return HandleSealer(SecretKeys([SECRET_KEY]))
