"""The stage: a database as a shop has it after a while, and who acts on it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, text
from sqlmodel import SQLModel

from authsrv.identity.revocations import RevocationList
from authsrv.kit.clock import SystemClock
from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.handles import HandleSealer
from authsrv.kit.identifiers import Identifiers
from authsrv.kit.machine_secrets import digest_of, make_secret
from authsrv.kit.secret_keys import SecretKeys
from authsrv.kit.vault import Vault
from authsrv.oauth.clients import ClientDirectory, RegisteredClient
from authsrv.oauth.keyring import Keyring, ensure_keys
from authsrv.oauth.tokens import AccessTokens
from authsrv.operations.schema import migrate
from authsrv.storage.clients import Client, ClientSecret
from authsrv.storage.database import Database
from authsrv.storage.revocations import Revocation
from authsrv.storage.stores import Store, add_store
from authsrv.storage.unit import NoticeKind, Unit
from authsrv.storage.users import add_user
from bench.orders import add_orders
from bench.people import Allowed, add_people

SECRET_KEY = "a-secret-of-the-bench-long-enough-for-every-purpose"
# A plan that PostgreSQL prepares on an empty table stays a sequential scan; so none is empty.
REVOCATIONS = 10_000
CLIENTS = 1_000
# The services that act here; the others only fill the table.
_AWAKE = 200
_SCOPE = "orders:read orders:write"
_STORE = "bench"


@dataclass(frozen=True, slots=True)
class Actor:
    """A client with the secret it holds."""

    client: RegisteredClient
    secret: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A filled database: its services, who introspects, its orders, and the server's own way to make tokens."""

    services: Sequence[Actor]
    resource_server: Actor
    order_ids: Sequence[str]
    tokens: AccessTokens
    issuer: str
    allowed: Allowed

    def issue(self, count: int) -> list[str]:
        """So many access tokens, of all services in turn."""
        clients = [actor.client for actor in self.services]
        scopes, audience = _SCOPE.split(), (self.issuer,)
        return [self.tokens.issue(clients[number % _AWAKE], scopes, audience)[0] for number in range(count)]


def build_stage(url: str, issuer: str) -> Stage:
    """Migrates and fills the empty database at `url`."""
    clock, entropy = SystemClock(), SystemEntropy()
    identifiers = Identifiers(clock, entropy)
    keys = SecretKeys([SECRET_KEY])
    vault = Vault(keys, "signing key", entropy)
    keyring = Keyring(vault, clock)

    sealer = HandleSealer(keys)

    def fill(unit: Unit) -> tuple[list[Actor], list[str], Allowed]:
        ensure_keys(unit, vault)
        keyring.load(unit)
        store = add_store(unit, prefix=_STORE, name="A shop", currency="USD")
        _add_revocations(unit)
        secrets = _add_clients(unit, store, entropy)
        order_ids = add_orders(unit, store)
        allowed = add_people(unit, store, sealer, entropy)
        directory = ClientDirectory()
        return [_wake(unit, directory, *each) for each in secrets.items()], order_ids, allowed

    async def go() -> tuple[list[Actor], list[str], Allowed]:
        database = Database(url, clock=clock, identifiers=identifiers, timeout_seconds=600)
        await database.start()
        try:
            await migrate(database)
            filled = await database.transact(fill)
            # What autovacuum would have done by the time a shop has as many rows.
            await database.transact(lambda unit: unit.change(text("ANALYZE")))
            return filled
        finally:
            await database.close()

    actors, order_ids, allowed = asyncio.run(go())
    tokens = AccessTokens(
        issuer=issuer,
        keyring=keyring,
        clients=ClientDirectory(),
        sealer=sealer,
        revocations=RevocationList(clock),
        clock=clock,
        identifiers=identifiers,
        vault=Vault(keys, "person", entropy),
        access_seconds=3600,
    )
    return Stage(actors[:-1], actors[-1], order_ids, tokens, issuer, allowed)


def _wake(unit: Unit, directory: ClientDirectory, client_id: str, secret: str) -> Actor:
    client = directory.find(unit, client_id)
    if client is None:
        raise RuntimeError(f"{client_id} was not stored")
    return Actor(client, secret)


def _add_clients(unit: Unit, store: Store, entropy: SystemEntropy) -> dict[str, str]:
    """The secrets of the services that act and, last, of the resource server, by client id."""
    developer = add_user(unit, email="dev@example.com")
    now = unit.now()
    clients, digests = [], []
    secrets = {}
    for number in range(CLIENTS + 1):
        client = Client(
            id=unit.new_id(),
            client_id=f"service-{number}",
            name=f"Service {number}",
            type="service",
            developer_id=developer.id,
            store_id=store.id,
            scope=_SCOPE,
            grant_types=["client_credentials"],
            redirect_uris=[],
            post_logout_redirect_uris=[],
            is_resource_server=number == CLIENTS,
            created_at=now,
            updated_at=now,
        )
        secret = make_secret("cs_", entropy)
        clients.append(client)
        digests.append(
            ClientSecret(
                id=unit.new_id(), client_id=client.id, digest=digest_of(secret), last_four=secret[-4:], created_at=now
            )
        )
        if number < _AWAKE or number == CLIENTS:
            secrets[client.client_id] = secret
    _store(unit, clients)
    _store(unit, digests)
    return secrets


def _add_revocations(unit: Unit) -> None:
    """Lines that void nobody on the stage, but that every reading has to pass by."""
    end = unit.now() + timedelta(hours=1)
    subjects = [str(unit.new_id()) for _ in range(REVOCATIONS)]
    line = {"kind": NoticeKind.TOKEN.value, "expires_at": end}
    _insert(unit, Revocation, [{"id": unit.new_id(), "subject": subject, **line} for subject in subjects])


def _store(unit: Unit, rows: Sequence[SQLModel]) -> None:
    _insert(unit, type(rows[0]), [row.model_dump(exclude_none=True) for row in rows])


def _insert(unit: Unit, table: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
    unit.session.execute(insert(table), list(rows))
