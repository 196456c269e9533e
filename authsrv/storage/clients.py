"""Clients (apps and services), their secrets, and the news that one of them changed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Column, Index, bindparam, false, or_
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, SQLModel, col, delete, select, update

from authsrv.storage.columns import UTC_TIME
from authsrv.storage.revocations import add_revocation
from authsrv.storage.unit import NEWS_LIVES, NoticeKind, Unit

# How a client came to be: a developer made it, it registered itself, or its client_id is a document's URL.
MADE = "made"
REGISTERED = "registered"
DOCUMENT = "document"
# How long one that is over can still be looked up.
_ENDED_ARE_SHOWN = timedelta(days=90)


class Client(SQLModel, table=True):
    """A registered client with the metadata of RFC 7591, 2, and what authsrv lets each choose for itself."""

    __tablename__ = "client"
    # One for each person and store, among those that act for a person.
    __table_args__ = (Index("uq_client_user_id_store_id", "user_id", "store_id", unique=True),)

    id: UUID = Field(primary_key=True)
    client_id: str = Field(max_length=512, unique=True)
    name: str = Field(max_length=200)
    type: str = Field(max_length=10)
    origin: str = Field(default=MADE, max_length=10, sa_column_kwargs={"server_default": MADE})
    # Somebody has to be named: for those that nobody vouches for, a person who does not exist.
    developer_id: UUID = Field(foreign_key="user.id", index=True)
    store_id: UUID | None = Field(default=None, foreign_key="store.id", index=True)
    # Whom it acts for, where it is a person's own and no app.
    user_id: UUID | None = Field(default=None, foreign_key="user.id")
    scope: str = Field(max_length=2000)
    grant_types: list[str] = Field(sa_column=Column(JSON, nullable=False))
    redirect_uris: list[str] = Field(sa_column=Column(JSON, nullable=False))
    post_logout_redirect_uris: list[str] = Field(sa_column=Column(JSON, nullable=False))
    backchannel_logout_uri: str | None = Field(default=None, max_length=2000)
    # None: either way of sending the secret.
    token_endpoint_auth_method: str | None = Field(default=None, max_length=40)
    jwks_uri: str | None = Field(default=None, max_length=2000)
    logo_uri: str | None = Field(default=None, max_length=2000)
    client_uri: str | None = Field(default=None, max_length=2000)
    policy_uri: str | None = Field(default=None, max_length=2000)
    tos_uri: str | None = Field(default=None, max_length=2000)
    subject_type: str = Field(default="public", max_length=10, sa_column_kwargs={"server_default": "public"})
    userinfo_alg: str | None = Field(default=None, max_length=10)
    # In the notation of the `limits` library; None: the server's own.
    token_limit: str | None = Field(default=None, max_length=40)
    api_limit: str | None = Field(default=None, max_length=40)
    # When name or redirect URIs last changed: a consent given before is asked for again.
    consent_changed_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    jwks: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    pkce: str = Field(default="required", max_length=10)
    token_format: str = Field(default="jwt", max_length=10)
    signing_alg: str = Field(default="ES256", max_length=10)
    id_token_alg: str = Field(default="RS256", max_length=10)
    is_resource_server: bool = False
    access_seconds: int | None = None
    refresh_idle_seconds: int | None = None
    grant_seconds: int | None = None
    code_seconds: int | None = None
    rotates_refresh_tokens: bool = True
    # Whether a refresh has to name the person it is for.
    refresh_needs_email: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    approved_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    suspended_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    # Nobody finds it any more; its row stays for what the audit log says of it.
    deleted_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    created_at: datetime = Field(sa_type=UTC_TIME)
    updated_at: datetime = Field(sa_type=UTC_TIME)

    @property
    def path_name(self) -> str:
        """How it is called in a path, where the URL of a document has no place."""
        return str(self.id) if self.origin == DOCUMENT else self.client_id


class ClientSecret(SQLModel, table=True):
    """A client's secret as its SHA-256; two may live at once while the client changes over."""

    __tablename__ = "client_secret"

    id: UUID = Field(primary_key=True)
    client_id: UUID = Field(foreign_key="client.id", index=True)
    digest: bytes
    last_four: str = Field(max_length=4)
    last_used_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    created_at: datetime = Field(sa_type=UTC_TIME)
    expires_at: datetime | None = Field(default=None, sa_type=UTC_TIME, index=True)


_SECRETS: Any = ClientSecret.__table__  # type: ignore[attr-defined]  # SQLModel makes it
_NOTE_USE = (
    update(_SECRETS)
    .where(
        _SECRETS.c.client_id == bindparam("client_row_id"),
        _SECRETS.c.digest == bindparam("presented"),
        or_(_SECRETS.c.last_used_at.is_(None), _SECRETS.c.last_used_at < bindparam("used_at")),
    )
    .values(last_used_at=bindparam("used_at"))
)


def add_client(unit: Unit, client: Client) -> Client:
    unit.session.add(client)
    unit.session.flush()
    announce_client(unit, client.client_id)
    return client


def add_client_once(unit: Unit, client: Client) -> bool:
    """The same; False when there is one of this `client_id`, deleted or not."""
    try:
        with unit.session.begin_nested():
            unit.session.add(client)
            unit.session.flush()
    except IntegrityError:
        return False
    announce_client(unit, client.client_id)
    return True


def find_client(unit: Unit, client_id: str) -> Client | None:
    """The app or service, unless it was deleted; what acts for one person is theirs, and nobody else's to change."""
    client = find_caller(unit, client_id)
    return client if client is not None and client.user_id is None else None


def find_caller(unit: Unit, client_id: str) -> Client | None:
    """Whatever goes by this id at the token endpoint: an app, a service, or what acts for one person."""
    query = select(Client).where(Client.client_id == client_id, col(Client.deleted_at).is_(None))
    return unit.session.exec(query).first()


def find_client_by_row(unit: Unit, row_id: UUID) -> Client | None:
    """The same by its row."""
    return unit.session.exec(select(Client).where(Client.id == row_id, col(Client.deleted_at).is_(None))).first()


def list_clients(unit: Unit) -> list[Client]:
    """All apps and services, newest first."""
    query = select(Client).where(col(Client.deleted_at).is_(None), col(Client.user_id).is_(None))
    return list(unit.session.exec(query.order_by(col(Client.id).desc())))


def lock_client(unit: Unit, client: Client) -> bool:
    """Lets one transaction at a time change what belongs to the client; False when it was deleted meanwhile."""
    locked = (
        update(Client)
        .where(col(Client.id) == client.id, col(Client.deleted_at).is_(None))
        .values(updated_at=unit.now())
        .execution_options(synchronize_session=False)
    )
    return unit.change(locked) == 1


def hold_client(unit: Unit, client: Client) -> None:
    """Brings the row up to date, as nobody else can change it until this transaction ends."""
    query = select(Client).where(Client.id == client.id).with_for_update(key_share=True)
    unit.session.exec(query.execution_options(populate_existing=True)).first()


def save_client(unit: Unit, client: Client) -> None:
    """Writes the changed client and tells every process to forget its copy."""
    client.updated_at = unit.now()
    unit.session.add(client)
    unit.session.flush()
    announce_client(unit, client.client_id)


def announce_client(unit: Unit, client_id: str) -> None:
    add_revocation(unit, NoticeKind.CLIENT_CHANGED, client_id, unit.now() + NEWS_LIVES)


def add_client_secret(
    unit: Unit, client: Client, digest: bytes, last_four: str, *, secret_id: UUID | None = None
) -> ClientSecret:
    """`secret_id` is a fresh one unless it is given."""
    secret = ClientSecret(
        id=secret_id or unit.new_id(), client_id=client.id, digest=digest, last_four=last_four, created_at=unit.now()
    )
    unit.session.add(secret)
    unit.session.flush()
    announce_client(unit, client.client_id)
    return secret


def list_live_secrets(unit: Unit, client_row_id: UUID) -> list[ClientSecret]:
    """Secrets that have not expired, newest first."""
    lives = (col(ClientSecret.expires_at).is_(None)) | (col(ClientSecret.expires_at) > unit.now())
    of_client = select(ClientSecret).where(col(ClientSecret.client_id) == client_row_id, lives)
    return list(unit.session.exec(of_client.order_by(col(ClientSecret.id).desc())))


def expire_secrets(unit: Unit, client: Client, at: datetime) -> int:
    """Sets an end to all live secrets that would live longer; returns how many."""
    longer = (col(ClientSecret.expires_at).is_(None)) | (col(ClientSecret.expires_at) > at)
    ended = unit.change(
        update(ClientSecret).where(col(ClientSecret.client_id) == client.id, longer).values(expires_at=at)
    )
    announce_client(unit, client.client_id)
    return ended


def prune_client_secrets(unit: Unit, batch: int) -> int:
    """Deletes up to `batch` secrets that ended long ago; returns how many."""
    over = select(ClientSecret.id).where(col(ClientSecret.expires_at) < unit.now() - _ENDED_ARE_SHOWN).limit(batch)
    return unit.change(delete(ClientSecret).where(col(ClientSecret.id).in_(over)))


def end_client_secret(unit: Unit, client: Client, secret_id: UUID, at: datetime | None) -> str | None:
    """Sets or takes away the end of a living secret; its last four characters, None where there is no such one."""
    lives = col(ClientSecret.expires_at).is_(None) | (col(ClientSecret.expires_at) > unit.now())
    ended = unit.session.execute(
        update(ClientSecret)
        .where(col(ClientSecret.id) == secret_id, col(ClientSecret.client_id) == client.id, lives)
        .values(expires_at=at)
        .returning(col(ClientSecret.last_four))
        .execution_options(synchronize_session=False)
    ).first()
    announce_client(unit, client.client_id)
    return ended[0] if ended else None


def note_secret_uses(unit: Unit, uses: Sequence[tuple[tuple[UUID, bytes], datetime]]) -> None:
    """When which secrets (client row, digest) were last used, as far as anybody wrote it down: never set back."""
    rows = [{"client_row_id": client, "presented": digest, "used_at": at} for (client, digest), at in uses]
    unit.session.execute(_NOTE_USE, rows)
