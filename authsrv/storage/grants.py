"""Grants: one row for all that one authorization leads to, its code and its refresh tokens included."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Column, Uuid, and_, bindparam, false, null, union_all
from sqlalchemy import select as select_columns
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased
from sqlmodel import Field, SQLModel, col, delete, func, select, update

from authsrv.storage.clients import Client
from authsrv.storage.columns import UTC_TIME
from authsrv.storage.revocations import add_revocation
from authsrv.storage.stores import Store
from authsrv.storage.unit import NoticeKind, Unit
from authsrv.storage.users import Membership, User

# No access token lives longer than 31 days.
_TOKENS_ARE_GONE = timedelta(days=32)
# A consent that is older than so many later ones is asked for again.
_CONSENTS_READ = 20
# No grant has a smaller id.
BEFORE_ALL = UUID(int=0)


class Grant(SQLModel, table=True):
    """Who let whom do what, where and when; what a refresh changes is in no index, so PostgreSQL updates in place."""

    __tablename__ = "grant"
    # Room in each page for the next version of a row: updates stay heap-only (HOT).
    __table_args__ = {"postgresql_with": {"fillfactor": 70}}

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="user.id", index=True)
    client_id: UUID = Field(foreign_key="client.id", index=True)
    store_id: UUID | None = Field(default=None, foreign_key="store.id", index=True)
    scope: str = Field(max_length=2000)
    requested_scope: str = Field(max_length=2000)
    session_id: UUID | None = Field(default=None)
    amr: str = Field(default="", max_length=40, sa_column_kwargs={"server_default": ""})
    audience: list[str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    # The claims asked for one by one (OIDC Core 5.5).
    claims: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    # Whether redeeming the code brought a refresh token.
    is_refreshable: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    code_expires_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    auth_time: datetime = Field(sa_type=UTC_TIME)
    redirect_uri: str | None = Field(default=None, max_length=2000)
    code_challenge: str | None = Field(default=None, max_length=128)
    nonce: str | None = Field(default=None, max_length=512)
    redeemed_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    generation: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    refreshed_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    revoked_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    created_at: datetime = Field(sa_type=UTC_TIME)
    expires_at: datetime = Field(sa_type=UTC_TIME, index=True)


@dataclass(frozen=True, slots=True)
class StoreConsent:
    """A store of the person's, what they are there, and what they allowed a client there and when, if anything."""

    store_id: UUID
    prefix: str
    name: str
    currency: str
    role: str
    audience: list[str] | None
    scope: str
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class UserGrant:
    """What a person has allowed one app in one store, over all the times they connected it."""

    client_id: str
    client_name: str
    store: str | None
    scopes: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None


def _store_consents() -> Any:
    newest_first = func.row_number().over(partition_by=col(Grant.store_id), order_by=col(Grant.id).desc())
    own = (Grant.id, Grant.store_id, Grant.audience, Grant.scope, Grant.created_at)
    columns: Any = (*own, newest_first.label("place"))
    given: Any = select_columns(*columns).where(*_GIVEN).subquery()
    # A person who connects the app every hour has many; the latest of each store tell enough.
    is_recent = given.c.place <= _CONSENTS_READ
    of_grant: Any = (given.c.scope, given.c.created_at)
    of_store: Any = (Store.id, Store.prefix, Store.name, Store.currency, Membership.role, given.c.audience)
    in_stores = (
        select_columns(*of_store, *of_grant)
        .select_from(Membership)
        .join(Store, col(Store.id) == col(Membership.store_id))
        .join(given, and_(is_recent, given.c.store_id == col(Membership.store_id)), isouter=True)
        .where(col(Membership.user_id) == bindparam("user_id"))
    )
    elsewhere = select_columns(*(null() for _ in of_store), *of_grant).where(is_recent, given.c.store_id.is_(None))
    both: Any = union_all(in_stores, elsewhere)
    return both.order_by(both.selected_columns.name)


def new_row() -> Any:
    """A SELECT of a grant's own values (`new_values`), to be inserted where a condition holds, in one statement."""
    return select_columns(*(bindparam(f"new_{column.name}", type_=column.type) for column in _TABLE.columns))


def insert_new(row: Any) -> dict[bool, Any]:
    """Stores what `new_row` gave where there is no grant of that id; on PostgreSQL (True) and on SQLite (False)."""
    columns = [column.name for column in _TABLE.columns]
    source = row.with_for_update(read=True)
    return {
        is_postgresql: insert(_TABLE).from_select(columns, source).on_conflict_do_nothing()
        for is_postgresql, insert in ((True, postgresql.insert), (False, sqlite.insert))
    }


_TABLE: Any = Grant.__table__  # type: ignore[attr-defined]  # SQLModel makes it
# The person of a new grant may act.
NEW_PERSON_IS_ACTIVE = (col(User.id) == bindparam("new_user_id"), col(User.suspended_at).is_(None))
_ADD = insert_new(new_row().where(*NEW_PERSON_IS_ACTIVE))
# Asked with every request to /oauth/authorize: building these anew would cost most of the asking.
_GIVEN = (
    col(Grant.user_id) == bindparam("user_id"),
    col(Grant.client_id) == bindparam("client_row_id"),
    col(Grant.revoked_at).is_(None),
    col(Grant.expires_at) > bindparam("now"),
)
_CONSENTS: Any = (
    select_columns(col(Grant.scope), col(Grant.created_at))
    .where(*_GIVEN, col(Grant.store_id).is_not_distinct_from(bindparam("store_id", type_=Uuid())))
    .order_by(col(Grant.id).desc())
    .limit(_CONSENTS_READ)
)
_STORE_CONSENTS = _store_consents()


def add_grant(unit: Unit, grant: Grant) -> bool:
    """Stores a grant; False when there is one of this id: the consent it comes from was already used.

    False too where the person was suspended a moment ago: who suspends waits for who stores, or stands before them.
    """
    return unit.change(_ADD[unit.is_postgresql], new_values(grant)) == 1


def new_values(grant: Grant) -> dict[str, Any]:
    """What the parameters of `new_row` are for this grant."""
    return {f"new_{name}": value for name, value in grant.model_dump().items()}


def list_consents(unit: Unit, user_id: UUID, client_row_id: UUID, store_id: UUID | None) -> list[tuple[str, datetime]]:
    """Scope and time of the latest living grants of the person to the client there: what need not be asked again."""
    asked = {**_about(unit, user_id, client_row_id), "store_id": store_id}
    return [(scope, created_at) for scope, created_at in unit.session.execute(_CONSENTS, asked)]


def list_store_consents(
    unit: Unit, user_id: UUID, client_row_id: UUID
) -> tuple[list[StoreConsent], list[tuple[str, datetime]]]:
    """The person's stores, each with the living grants to the client there, and those for no store; one statement."""
    rows = unit.session.execute(_STORE_CONSENTS, _about(unit, user_id, client_row_id)).all()
    stores = [StoreConsent(*row) for row in rows if row[0] is not None]
    return stores, [(row[-2], row[-1]) for row in rows if row[0] is None]


def _about(unit: Unit, user_id: UUID, client_row_id: UUID) -> dict[str, Any]:
    return {"user_id": user_id, "client_row_id": client_row_id, "now": unit.now()}


def list_user_grants(unit: Unit, user_id: UUID) -> list[UserGrant]:
    """The person's connected apps, the latest used first."""
    query = (
        select(Grant, Client.client_id, Client.name, Store.prefix)
        .join(Client, col(Client.id) == col(Grant.client_id))
        .join(Store, col(Store.id) == col(Grant.store_id), isouter=True)
        .where(col(Grant.user_id) == user_id, col(Grant.revoked_at).is_(None), col(Grant.expires_at) > unit.now())
    )
    apps: dict[tuple[str, str | None], list[tuple[Grant, str]]] = {}
    for grant, client_id, name, store in unit.session.exec(query):
        apps.setdefault((client_id, store), []).append((grant, name))
    merged = [_merged(client_id, store, grants) for (client_id, store), grants in apps.items()]
    return sorted(merged, key=lambda app: app.last_used_at or app.created_at, reverse=True)


def revoke_user_grants(
    unit: Unit, user_id: UUID, client_id: str, store: str | None, tokens_end_at: datetime
) -> list[UUID]:
    """Ends all the person gave the app in the store, tokens included; returns the grants that ended."""
    query = (
        select(Grant.id)
        .join(Client, col(Client.id) == col(Grant.client_id))
        .join(Store, col(Store.id) == col(Grant.store_id), isouter=True)
        .where(
            col(Grant.user_id) == user_id,
            col(Client.client_id) == client_id,
            col(Store.prefix).is_not_distinct_from(store),
            col(Grant.revoked_at).is_(None),
        )
    )
    return [grant_id for grant_id in unit.session.exec(query) if revoke_grant(unit, grant_id, tokens_end_at)]


def _merged(client_id: str, store: str | None, grants: list[tuple[Grant, str]]) -> UserGrant:
    used = [moment for grant, _ in grants if (moment := grant.refreshed_at or grant.redeemed_at)]
    return UserGrant(
        client_id=client_id,
        client_name=grants[0][1],
        store=store,
        scopes=tuple(dict.fromkeys(scope for grant, _ in grants for scope in grant.scope.split())),
        created_at=min(grant.created_at for grant, _ in grants),
        last_used_at=max(used, default=None),
    )


def revoke_grant(unit: Unit, grant_id: UUID, tokens_end_at: datetime) -> bool:
    """Ends a living grant and, by the feed, its access tokens, which expire at `tokens_end_at` at the latest.

    False when there is none, or it had ended before.
    """
    ended = unit.session.execute(
        update(Grant)
        .where(col(Grant.id) == grant_id, col(Grant.revoked_at).is_(None))
        .values(revoked_at=unit.now())
        .returning(col(Grant.id))
    )
    if ended.first() is None:
        return False
    add_revocation(unit, NoticeKind.GRANT, str(grant_id), tokens_end_at)
    return True


def list_grants(
    unit: Unit, *, email: str | None = None, client_id: str | None = None
) -> list[tuple[Grant, str, str, str | None]]:
    """Living grants, newest first, each with its client's id, its user's e-mail and its store's prefix."""
    query = (
        select(Grant, Client.client_id, User.email, Store.prefix)
        .join(Client, col(Client.id) == col(Grant.client_id))
        .join(User, col(User.id) == col(Grant.user_id))
        .join(Store, col(Store.id) == col(Grant.store_id), isouter=True)
        .where(col(Grant.revoked_at).is_(None), col(Grant.expires_at) > unit.now())
        .order_by(col(Grant.id).desc())
    )
    if email is not None:
        query = query.where(User.email == email)
    if client_id is not None:
        query = query.where(Client.client_id == client_id)
    return [(grant, of_client, of_user, store) for grant, of_client, of_user, store in unit.session.exec(query)]


def revoke_client_grants(unit: Unit, client_row_id: UUID) -> int:
    """Ends every living grant of a client in one statement; returns how many.

    No line in the feed for each: the client's own line voids all its access tokens.
    """
    return unit.change(
        update(Grant)
        .where(col(Grant.client_id) == client_row_id, col(Grant.revoked_at).is_(None))
        .values(revoked_at=unit.now())
        .execution_options(synchronize_session=False)
    )


def revoke_grants_of(unit: Unit, user_id: UUID) -> int:
    """Ends every living grant of a person in one statement; returns how many.

    No line in the feed for each: the person's own line voids all their access tokens.
    """
    return unit.change(
        update(Grant)
        .where(col(Grant.user_id) == user_id, col(Grant.revoked_at).is_(None))
        .values(revoked_at=unit.now())
        .execution_options(synchronize_session=False)
    )


def find_grants_client(unit: Unit, grant_id: UUID) -> UUID | None:
    """The row of the client that a grant was given to, however it stands; None when there is no such grant."""
    return unit.session.exec(select(Grant.client_id).where(col(Grant.id) == grant_id)).first()


def prune_superseded_grants(unit: Unit, batch: int, after: UUID) -> tuple[int, UUID]:
    """Looks at the next `batch` grants behind the id `after` and deletes those that nobody can meet any more.

    Those that brought no refresh token, whose access tokens have all expired, and behind which the same person allowed
    the same app the same again. Returns how many went and the id behind which to go on, the first of all at the end: a
    look costs the same however large the table is.
    """
    window = select(Grant.id, Grant.created_at).where(col(Grant.id) > after).order_by(col(Grant.id)).limit(batch)
    ids = [grant_id for grant_id, created_at in unit.session.exec(window) if created_at < unit.now() - _TOKENS_ARE_GONE]
    if not ids:
        return 0, BEFORE_ALL
    later = aliased(Grant)
    is_superseded = (
        select(later.id)
        .where(
            col(later.user_id) == col(Grant.user_id),
            col(later.client_id) == col(Grant.client_id),
            col(later.store_id).is_not_distinct_from(col(Grant.store_id)),
            col(later.scope) == col(Grant.scope),
            col(later.revoked_at).is_(None),
            col(later.id) > col(Grant.id),
        )
        .exists()
    )
    gone = unit.change(
        delete(Grant)
        .where(col(Grant.id).in_(ids), ~col(Grant.is_refreshable), is_superseded)
        .execution_options(synchronize_session=False)
    )
    return gone, ids[-1] if len(ids) == batch else BEFORE_ALL


def prune_grants(unit: Unit, batch: int) -> int:
    """Deletes up to `batch` grants whose absolute end has passed; returns how many."""
    expired = select(Grant.id).where(col(Grant.expires_at) < unit.now()).order_by(col(Grant.expires_at)).limit(batch)
    return unit.change(delete(Grant).where(col(Grant.id).in_(expired)))
