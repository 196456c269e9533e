"""The engine below the seam without a server: a process's memory over a database, and a clock that is moved by hand."""

import asyncio
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, Protocol, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import StaticPool
from sqlmodel import Session, create_engine, delete, select, update

from authsrv.identity.revocations import RevocationList
from authsrv.kit.clock import Clock
from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.handles import HandleSealer
from authsrv.kit.identifiers import Identifiers
from authsrv.kit.secret_keys import SecretKeys
from authsrv.kit.signing import export_private, generate_key
from authsrv.kit.vault import Vault
from authsrv.oauth.client_assertion import ClientAssertions
from authsrv.oauth.client_keys import ClientKeys
from authsrv.oauth.clients import ClientDirectory
from authsrv.oauth.grants.authorization_code import challenge_of
from authsrv.oauth.id_tokens import IdTokens
from authsrv.oauth.issuing import Issuing
from authsrv.oauth.keyring import Keyring, rotate_keys
from authsrv.oauth.registration import NewClient, add_secret, create_client, new_client_id
from authsrv.oauth.requests import ProtocolRequest
from authsrv.oauth.scopes import ScopeCatalogue
from authsrv.oauth.server import ProtocolServer
from authsrv.oauth.tokens import AccessTokens
from authsrv.settings import TokenSettings, config_file, load_settings
from authsrv.storage.clients import find_client, save_client
from authsrv.storage.database import Database
from authsrv.storage.grants import Grant, revoke_grant
from authsrv.storage.models import METADATA
from authsrv.storage.revocations import read_feed
from authsrv.storage.signing_keys import SigningKey, add_signing_key
from authsrv.storage.unit import Unit
from authsrv.storage.users import add_user
from tests.support.world import ManualClock

T = TypeVar("T")

ISSUER = "http://127.0.0.1:8000"
VERIFIER = "a-verifier-of-at-least-forty-three-characters-in-all"
TABLE: Any = Grant
_NO_DELAY = timedelta(0)


class Seam(Protocol):
    """A database as work meets it; all that `transact` promises but the waiting."""

    clock: ManualClock
    identifiers: Identifiers

    def transact(self, work: Callable[[Unit], T]) -> tuple[T, Unit]:
        """What `work` returns, once it is committed, and the unit it ran in."""
        ...


class PlainSqlite:
    """A plain session on SQLite in memory; no event loop."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.identifiers = Identifiers(clock, SystemEntropy())
        self._engine = create_engine("sqlite://", poolclass=StaticPool)
        METADATA.create_all(self._engine)

    def transact(self, work: Callable[[Unit], T]) -> tuple[T, Unit]:
        unit = Unit(lambda: Session(self._engine, expire_on_commit=False), self.clock, self.identifiers)
        try:
            result = work(unit)
            unit.commit()
        finally:
            unit.close()
        return result, unit

    def close(self) -> None:
        self._engine.dispose()


class Postgres:
    """A migrated PostgreSQL through the server's own seam."""

    def __init__(self, url: str, clock: ManualClock) -> None:
        self.clock = clock
        self.identifiers = Identifiers(clock, SystemEntropy())
        self._runner = asyncio.Runner()
        self._database = Database(url, clock=clock, identifiers=self.identifiers, pool_size=1, timeout_seconds=20)
        self._runner.run(self._database.start())

    def transact(self, work: Callable[[Unit], T]) -> tuple[T, Unit]:
        def kept(unit: Unit) -> tuple[T, Unit]:
            return work(unit), unit

        return self._runner.run(self._database.transact(kept))

    def close(self) -> None:
        self._runner.run(self._database.close())
        self._runner.close()


@dataclass(frozen=True)
class Connected:
    """A client, and the grant that a person gave it."""

    client_id: str
    client_secret: str
    grant_id: UUID

    @property
    def headers(self) -> dict[str, str]:
        if not self.client_secret:
            return {}
        return {"authorization": "Basic " + b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()}


class Process:
    """What one worker holds in memory: keys, clients, revocations; a new one knows what it reads."""

    def __init__(self, seam: Seam, secrets: list[str]) -> None:
        clock: Clock = seam.clock
        entropy, keys = SystemEntropy(), SecretKeys(secrets)
        self._seam = seam
        self.vault = Vault(keys, "signing key", entropy)
        self.keyring = Keyring(self.vault, clock)
        self.revocations = RevocationList(clock)
        self.clients = ClientDirectory()
        sealer = HandleSealer(keys)
        self.tokens = AccessTokens(
            issuer=ISSUER,
            keyring=self.keyring,
            clients=self.clients,
            sealer=sealer,
            revocations=self.revocations,
            clock=clock,
            identifiers=seam.identifiers,
            vault=Vault(keys, "person", entropy),
            access_seconds=3600,
        )
        id_tokens = IdTokens(issuer=ISSUER, keyring=self.keyring, clock=clock)
        self.issuing = Issuing(tokens=self.tokens, id_tokens=id_tokens, sealer=sealer)
        self.server = ProtocolServer(
            issuer=ISSUER,
            scopes=_scopes(),
            clients=self.clients,
            assertions=ClientAssertions(
                issuer=ISSUER, token_endpoint=f"{ISSUER}/oauth/token", keys=ClientKeys(_no_fetch, clock), clock=clock
            ),
            issuing=self.issuing,
            lifetimes=_lifetimes(),
            clock=clock,
        )
        # As a worker that starts: everything that is still live in the feed, and the keys.
        self.transact(lambda unit: self.revocations.apply(read_feed(unit, 0).notices))
        self.transact(self.keyring.load)

    def transact(self, work: Callable[[Unit], T]) -> T:
        """Runs the work; what it tells the feed is heard here at once."""
        result, unit = self._seam.transact(work)
        self.revocations.apply(unit.notices)
        self.clients.hear(unit.notices)
        return result

    def token(self, connected: Connected, **form: str) -> tuple[int, dict[str, Any]]:
        return self._post(self.server.answer_token_request, "/oauth/token", connected, form)

    def revoke(self, connected: Connected, token: str) -> tuple[int, dict[str, Any]]:
        return self._post(self.server.answer_revocation, "/oauth/revoke", connected, {"token": token})

    def rotate_signing_keys(self) -> None:
        self.transact(lambda unit: rotate_keys(unit, self.vault, announce=_NO_DELAY, actor="test"))
        self.transact(self.keyring.load)
        self.tokens.forget()

    def set_rotation(self, connected: Connected, *, rotates: bool) -> None:
        def work(unit: Unit) -> None:
            client = find_client(unit, connected.client_id)
            assert client is not None
            client.rotates_refresh_tokens = rotates
            save_client(unit, client)

        self.transact(work)

    def end_grant(self, grant_id: UUID) -> None:
        """What /account does."""
        self.transact(lambda unit: revoke_grant(unit, grant_id, unit.now() + timedelta(days=31)))

    def row(self, grant_id: UUID) -> dict[str, Any]:
        """The grant's row as it stands."""
        query = select(*TABLE.__table__.columns).where(TABLE.id == grant_id)
        return self.transact(lambda unit: dict(unit.session.connection().execute(query).one()._mapping))  # noqa: SLF001

    def put_back(self, row: dict[str, Any]) -> None:
        """The database fails over to a replica that had the row like this."""
        statement = update(TABLE).where(TABLE.id == row["id"]).values(row)
        self.transact(lambda unit: unit.session.connection().execute(statement))

    def _post(
        self, answer: Callable[..., Any], path: str, connected: Connected, form: dict[str, str]
    ) -> tuple[int, dict[str, Any]]:
        sent = form if connected.client_secret else {**form, "client_id": connected.client_id}

        def work(unit: Unit) -> Any:
            return answer(
                lambda: ProtocolRequest(
                    unit, method="POST", uri=ISSUER + path, headers=connected.headers, form=list(sent.items())
                )
            )

        status, body, _ = self.transact(work)
        return status, body


def begin(seam: Seam, secrets: list[str]) -> None:
    """One signing key, for access tokens; those for ID tokens are slow to make and not needed."""
    entropy = SystemEntropy()
    vault = Vault(SecretKeys(secrets), "signing key", entropy)
    key = generate_key("ES256")
    kid = key.thumbprint()

    def work(unit: Unit) -> None:
        now = unit.now()
        unit.change(delete(SigningKey))
        sealed = vault.seal(export_private(key), owner=kid.encode())
        add_signing_key(
            unit,
            SigningKey(id=unit.new_id(), kid=kid, algorithm="ES256", sealed_jwk=sealed, created_at=now, signs_at=now),
        )

    seam.transact(work)


def connect(process: Process, kind: str, *, lives: timedelta, **of_client: Any) -> Connected:
    """A client of this type and a person's grant to it, its code not yet redeemed."""
    entropy = SystemEntropy()

    def work(unit: Unit) -> Connected:
        client_id = new_client_id(entropy)
        new = NewClient(
            name="An app",
            developer="dev@example.com",
            type=kind,
            scope="orders:read account:read",
            redirect_uris=["https://app.example/callback"],
            pkce="required" if kind == "spa" else "optional",
            **of_client,
        )
        client = create_client(unit, new, client_id=client_id, actor="test", scopes=process.server.scopes)
        secret = "" if kind == "spa" else add_secret(unit, client, entropy)
        user, now = add_user(unit, email=f"{uuid4().hex}@example.com"), unit.now()
        grant = Grant(
            id=unit.new_id(),
            user_id=user.id,
            client_id=client.id,
            scope="orders:read account:read",
            requested_scope="orders:read account:read",
            auth_time=now,
            redirect_uri="https://app.example/callback",
            code_challenge=challenge_of(VERIFIER),
            is_refreshable=True,
            code_expires_at=now + timedelta(seconds=60),
            created_at=now,
            expires_at=now + lives,
        )
        unit.session.add(grant)
        return Connected(client_id, secret, grant.id)

    return process.transact(work)


@cache
def _scopes() -> ScopeCatalogue:
    return ScopeCatalogue.read(config_file("scopes.toml"))


@cache
def _lifetimes() -> TokenSettings:
    return load_settings(issuer=ISSUER).tokens


async def _no_fetch(url: str) -> Any:
    raise AssertionError(f"nothing is fetched here: {url}")
