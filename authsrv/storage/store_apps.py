"""The apps that act in a store: what people there allowed them, since when, and ending all of it at once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy import select as select_columns
from sqlmodel import col, func, select, update

from authsrv.storage.clients import Client, ClientSecret
from authsrv.storage.grants import Grant
from authsrv.storage.revocations import add_revocation
from authsrv.storage.unit import NoticeKind, Unit

# More grants than these are voided by one line for the app: its tokens elsewhere are refreshed once.
_MOST_LINES = 200


@dataclass(frozen=True, slots=True)
class StoreApp:
    """An app in a store. `people` allowed it there; one that belongs to the store needs none."""

    client: Client
    scopes: tuple[str, ...]
    people: int
    since: datetime
    last_used_at: datetime | None
    belongs: bool


def list_store_apps(unit: Unit, store_id: UUID) -> list[StoreApp]:
    """The apps people connected, and those that belong to the store itself, by name."""
    used = func.coalesce(col(Grant.refreshed_at), col(Grant.redeemed_at))
    columns: Any = (Grant.client_id, Grant.scope, func.min(Grant.created_at), func.max(used))
    given = select_columns(*columns).where(*_living(unit, store_id)).group_by(col(Grant.client_id), col(Grant.scope))
    of_client: dict[UUID, list[Any]] = {}
    for row in unit.session.execute(given):
        of_client.setdefault(row[0], []).append(row)
    people, used_secrets = _count_people(unit, store_id), _last_secrets(unit, store_id)
    own = col(Client.store_id) == store_id, col(Client.user_id).is_(None)
    wanted = col(Client.id).in_(of_client) | (own[0] & own[1])
    clients = unit.session.exec(select(Client).where(wanted, col(Client.deleted_at).is_(None)).order_by(Client.name))
    return [
        _shown(client, of_client.get(client.id, []), people.get(client.id, 0), used_secrets.get(client.id), store_id)
        for client in clients
    ]


def end_store_app(unit: Unit, store_id: UUID, client: Client, tokens_end_at: datetime) -> int:
    """Ends all that anybody allowed the app in the store, tokens included; returns how many grants ended."""
    ended = unit.session.execute(
        update(Grant)
        .where(col(Grant.client_id) == client.id, *_living(unit, store_id))
        .values(revoked_at=unit.now())
        .returning(col(Grant.id))
        .execution_options(synchronize_session=False)
    )
    ids = [row[0] for row in ended]
    if len(ids) > _MOST_LINES:
        add_revocation(unit, NoticeKind.CLIENT, client.client_id, tokens_end_at)
        return len(ids)
    for grant_id in ids:
        add_revocation(unit, NoticeKind.GRANT, str(grant_id), tokens_end_at)
    return len(ids)


def _living(unit: Unit, store_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return col(Grant.store_id) == store_id, col(Grant.revoked_at).is_(None), col(Grant.expires_at) > unit.now()


def _count_people(unit: Unit, store_id: UUID) -> dict[UUID, int]:
    query = (
        select(Grant.client_id, func.count(func.distinct(col(Grant.user_id))))
        .where(*_living(unit, store_id))
        .group_by(col(Grant.client_id))
    )
    return dict(unit.session.exec(query).all())


def _last_secrets(unit: Unit, store_id: UUID) -> dict[UUID, datetime]:
    """When the apps that belong to the store last proved who they are by a secret."""
    columns: Any = (ClientSecret.client_id, func.max(ClientSecret.last_used_at))
    query = select_columns(*columns).join(Client, col(Client.id) == col(ClientSecret.client_id))
    used = col(Client.store_id) == store_id, col(ClientSecret.last_used_at).is_not(None)
    rows = unit.session.execute(query.where(*used).group_by(col(ClientSecret.client_id)))
    return {row[0]: row[1] for row in rows}


def _shown(client: Client, rows: list[Any], people: int, secret_used_at: datetime | None, store_id: UUID) -> StoreApp:
    belongs = client.store_id == store_id
    acts_alone = belongs and "client_credentials" in client.grant_types
    scopes = [scope for row in rows for scope in row[1].split()] + (client.scope.split() if acts_alone else [])
    return StoreApp(
        client=client,
        scopes=tuple(dict.fromkeys(scopes)),
        people=people,
        since=min((row[2] for row in rows), default=client.created_at),
        last_used_at=max((moment for moment in (*(row[3] for row in rows), secret_used_at) if moment), default=None),
        belongs=belongs,
    )
