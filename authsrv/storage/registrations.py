"""Apps that made themselves known: by the registration API (RFC 7591) or by a document at their client_id's URL.

Those that nobody ever used are deleted after a day, whole; nothing is written when one is used.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_
from sqlalchemy import select as select_columns
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, SQLModel, col, delete, select, update

from authsrv.storage.clients import DOCUMENT, Client, ClientSecret, announce_client
from authsrv.storage.columns import UTC_TIME
from authsrv.storage.grants import Grant
from authsrv.storage.unit import Unit
from authsrv.storage.usage import Usage

UNUSED_LIVES = timedelta(days=1)


class Registration(SQLModel, table=True):
    """What is kept of a registration besides its client; its access token is a handle of the row and `generation`."""

    __tablename__ = "registration"

    client_id: UUID = Field(primary_key=True, foreign_key="client.id")
    initial_access_token_id: UUID | None = Field(default=None, foreign_key="initial_access_token.id")
    # Of what was asked for, where the client has no secret: who asks for the same again gets the same client.
    fingerprint: bytes | None = Field(default=None, unique=True)
    # Whether somebody else was given the same client: from then on nobody may change it.
    is_shared: bool = False
    generation: int = 0
    renewed_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    created_at: datetime = Field(sa_type=UTC_TIME)
    # When to look whether it was ever used; None once it was.
    expires_at: datetime | None = Field(default=None, sa_type=UTC_TIME, index=True)


class InitialAccessToken(SQLModel, table=True):
    """Whoever has one may register apps (RFC 7591, 1.2); the token itself is a sealed handle of this row."""

    __tablename__ = "initial_access_token"

    id: UUID = Field(primary_key=True)
    name: str = Field(default="", max_length=200)
    created_at: datetime = Field(sa_type=UTC_TIME)
    expires_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    revoked_at: datetime | None = Field(default=None, sa_type=UTC_TIME)


def add_registration(unit: Unit, registration: Registration) -> None:
    """Raises IntegrityError where another request with the same fingerprint came first."""
    unit.session.add(registration)
    unit.session.flush()


def find_registration(unit: Unit, client_row_id: UUID) -> Registration | None:
    query = select(Registration).where(Registration.client_id == client_row_id)
    return unit.session.exec(query.execution_options(populate_existing=True)).first()


def share_registration(unit: Unit, fingerprint: bytes) -> UUID | None:
    """The client's row that this fingerprint stands for, from now on shared; None where there is none."""
    shared = unit.session.execute(
        update(Registration)
        .where(col(Registration.fingerprint) == fingerprint)
        .values(is_shared=True)
        .returning(col(Registration.client_id))
        .execution_options(synchronize_session=False)
    ).first()
    return shared[0] if shared else None


def step_registration(unit: Unit, client_row_id: UUID, generation: int, fingerprint: bytes | None) -> bool:
    """The next generation, of a registration that is its maker's alone; of two changes that come at once, one is made.

    Raises IntegrityError where another registration has this fingerprint.
    """
    stepped = unit.change(
        update(Registration)
        .where(
            col(Registration.client_id) == client_row_id,
            col(Registration.generation) == generation,
            ~col(Registration.is_shared),
        )
        .values(generation=generation + 1, renewed_at=unit.now(), fingerprint=fingerprint)
        .execution_options(synchronize_session=False)
    )
    return stepped == 1


def end_registration(unit: Unit, client_row_id: UUID) -> bool:
    """Nobody is given this client any more; False where it is shared. The row goes with the client's."""
    own = col(Registration.client_id) == client_row_id, ~col(Registration.is_shared)
    ended = update(Registration).where(*own).values(fingerprint=None, expires_at=unit.now())
    return unit.change(ended.execution_options(synchronize_session=False)) == 1


def forget_fingerprint(unit: Unit, client_row_id: UUID) -> None:
    """Nobody is given this client any more."""
    forgotten = update(Registration).where(col(Registration.client_id) == client_row_id).values(fingerprint=None)
    unit.change(forgotten.execution_options(synchronize_session=False))


def add_initial_access_token(unit: Unit, name: str, expires_at: datetime | None) -> InitialAccessToken:
    token = InitialAccessToken(id=unit.new_id(), name=name, created_at=unit.now(), expires_at=expires_at)
    unit.session.add(token)
    unit.session.flush()
    return token


def find_initial_access_token(unit: Unit, token_id: UUID) -> InitialAccessToken | None:
    """The token, unless it was revoked or has expired."""
    token = unit.session.get(InitialAccessToken, token_id)
    if token is None or token.revoked_at is not None:
        return None
    return token if token.expires_at is None or token.expires_at > unit.now() else None


def list_initial_access_tokens(unit: Unit) -> list[InitialAccessToken]:
    """All, newest first."""
    return list(unit.session.exec(select(InitialAccessToken).order_by(col(InitialAccessToken.id).desc())))


def revoke_initial_access_token(unit: Unit, token_id: UUID) -> bool:
    """False where there is none that was not revoked before."""
    living = col(InitialAccessToken.id) == token_id, col(InitialAccessToken.revoked_at).is_(None)
    return unit.change(update(InitialAccessToken).where(*living).values(revoked_at=unit.now())) == 1


def prune_registrations(unit: Unit, batch: int) -> int:
    """Looks at up to `batch` registrations that are due and deletes those of no use; returns how many it looked at."""
    columns: Any = (Client.id, Client.client_id, Client.origin, Client.deleted_at, Client.suspended_at)
    due = select_columns(*columns).join(Registration, col(Registration.client_id) == col(Client.id))
    rows = unit.session.execute(due.where(col(Registration.expires_at) <= unit.now()).limit(batch)).all()
    ids = [row[0] for row in rows]
    # A grant without scope remembers that somebody said no.
    granted = select(Grant.client_id).where(col(Grant.client_id).in_(ids), col(Grant.scope) != "")
    allowed = set(unit.session.exec(granted.distinct()))
    used = allowed | set(unit.session.exec(select(Client.id).where(col(Client.id).in_(ids), _was_used())))
    for row_id, client_id, origin, deleted_at, suspended_at in rows:
        # What can come back by itself, and what is gone already, stays only as long as a grant points at it.
        goes_with_grants = origin == DOCUMENT or deleted_at is not None
        # Without the row nobody would know that an operator shut it out.
        is_kept = suspended_at is not None or row_id in (allowed if goes_with_grants else used)
        if not is_kept and _delete_whole(unit, row_id):
            announce_client(unit, client_id)
        else:
            again_at = None if row_id in used and not goes_with_grants else unit.now() + UNUSED_LIVES
            look_again = update(Registration).where(col(Registration.client_id) == row_id).values(expires_at=again_at)
            unit.change(look_again.execution_options(synchronize_session=False))
    return len(rows)


def _was_used() -> ColumnElement[bool]:
    """By the traces that use leaves anyway."""
    secret_used = col(ClientSecret.client_id) == col(Client.id), col(ClientSecret.last_used_at).is_not(None)
    counted = col(Usage.client_id) == col(Client.client_id), col(Usage.reason) == ""
    return or_(exists().where(*secret_used), exists().where(*counted))


def _delete_whole(unit: Unit, row_id: UUID) -> bool:
    """False where something points at the client after all: it was allowed something at this very moment."""
    owned: Any = ((Registration, Registration.client_id), (ClientSecret, ClientSecret.client_id), (Client, Client.id))
    try:
        with unit.session.begin_nested():
            for table, owner in owned:
                gone = delete(table).where(col(owner) == row_id)
                unit.change(gone.execution_options(synchronize_session=False))
    except IntegrityError:
        return False
    return True
