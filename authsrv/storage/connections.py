"""Which stores an app is connected to, and the places it has while it is not approved.

A consent makes its grant only in a store to which the app is connected. A connection whose last grant has ended keeps
its row, and gives its place up as soon as somebody needs it.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Uuid, and_, bindparam, literal, union
from sqlalchemy import select as select_columns
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased
from sqlmodel import Field, SQLModel, UniqueConstraint, col, delete, func, select

from authsrv.storage.columns import UTC_TIME
from authsrv.storage.grants import NEW_PERSON_IS_ACTIVE, Grant, insert_new, new_row, new_values
from authsrv.storage.stores import Store
from authsrv.storage.unit import Unit
from authsrv.storage.users import User


class Connection(SQLModel, table=True):
    """An app in a store. `place` is one of those an app that is not approved may fill; an approved one takes none."""

    __tablename__ = "connection"
    __table_args__ = (UniqueConstraint("client_id", "place"),)

    client_id: UUID = Field(primary_key=True, foreign_key="client.id", ondelete="CASCADE")
    store_id: UUID = Field(primary_key=True, foreign_key="store.id", index=True)
    place: int | None = None
    created_at: datetime = Field(sa_type=UTC_TIME)


# In one statement, so that nobody can take the place away, or suspend the person, in between.
_ADD_CONNECTED = insert_new(
    new_row()
    .join_from(Connection, User, and_(*NEW_PERSON_IS_ACTIVE))
    .where(
        col(Connection.client_id) == bindparam("new_client_id"),
        col(Connection.store_id) == bindparam("new_store_id"),
    )
)


def connect_store(unit: Unit, client_row_id: UUID, store_id: UUID, *, most: int | None) -> bool:
    """Connects the app to the store; once it is, again and again.

    False where it would be one store more than `most`, which at most so many can pass however many come at once: each
    takes the lowest free place, and no place is taken twice.
    """
    while not is_connected(unit, client_row_id, store_id):
        if _take_place(unit, client_row_id, store_id, most):
            return True
        # Either somebody took that very place a moment ago, or there was none.
        if most is not None and _count_rows(unit, client_row_id) >= most and not _give_up_places(unit, client_row_id):
            return False
    return True


def is_connected(unit: Unit, client_row_id: UUID, store_id: UUID) -> bool:
    """Whether the app is connected to the store; stays true until this transaction ends."""
    query = select(Connection.store_id).where(*_is(client_row_id, store_id)).with_for_update(read=True, key_share=True)
    return unit.session.exec(query).first() is not None


def add_connected_grant(unit: Unit, grant: Grant) -> bool:
    """Stores a grant in a store; False when there is one of this id, or app or person may not."""
    if grant.store_id is None:
        raise ValueError("a grant in a store names it")
    return unit.change(_ADD_CONNECTED[unit.is_postgresql], new_values(grant)) == 1


def count_connections(unit: Unit, client_row_id: UUID) -> int:
    """In how many stores the app holds a living grant."""
    query = select(func.count()).select_from(Connection).where(*_living(unit, client_row_id))
    return unit.session.exec(query).one()


def list_connected_prefixes(unit: Unit, client_row_id: UUID) -> list[str]:
    """The stores in which the app holds a living grant, by prefix, in the order of their names."""
    query = (
        select(Store.prefix)
        .join(Connection, col(Connection.store_id) == col(Store.id))
        .where(*_living(unit, client_row_id))
        .order_by(Store.name, Store.prefix)
    )
    return list(unit.session.exec(query))


def list_connected_ids(unit: Unit, client_row_id: UUID) -> frozenset[UUID]:
    """The stores in which the app holds a living grant, by row id."""
    return frozenset(unit.session.exec(select(Connection.store_id).where(*_living(unit, client_row_id))))


def _is(client_row_id: UUID, store_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return col(Connection.client_id) == client_row_id, col(Connection.store_id) == store_id


def _living(unit: Unit, client_row_id: UUID) -> tuple[ColumnElement[bool], ...]:
    given = select(Grant.id).where(
        col(Grant.client_id) == col(Connection.client_id),
        col(Grant.store_id) == col(Connection.store_id),
        col(Grant.revoked_at).is_(None),
        col(Grant.expires_at) > unit.now(),
    )
    return col(Connection.client_id) == client_row_id, given.exists()


def _take_place(unit: Unit, client_row_id: UUID, store_id: UUID, most: int | None) -> bool:
    """Adds the connection in the lowest free place; False when that is taken by now, or there is none."""
    own = literal(client_row_id, Uuid()), literal(store_id, Uuid())
    now = literal(unit.now(), UTC_TIME)
    if most is None:
        source: Any = select_columns(*own, literal(None, Integer()), now).where(literal(1) == 1)
    else:
        taken, of_client = aliased(Connection), col(Connection.client_id) == client_row_id
        behind_each = select_columns(col(Connection.place) + 1).where(of_client, col(Connection.place).is_not(None))
        first: Any = select_columns(literal(1, Integer()).label("place"))
        candidates = union(first, behind_each).subquery()
        is_taken = select(taken.place).where(taken.client_id == client_row_id, taken.place == candidates.c.place)
        lowest = select_columns(func.min(candidates.c.place).label("place")).where(~is_taken.exists()).subquery()
        count = select_columns(func.count()).select_from(Connection).where(of_client).scalar_subquery()
        source = select_columns(*own, lowest.c.place, now).where(lowest.c.place <= most, count < most)
    columns = ["client_id", "store_id", "place", "created_at"]
    return unit.change(_insert(unit)(Connection).from_select(columns, source).on_conflict_do_nothing()) == 1


def _count_rows(unit: Unit, client_row_id: UUID) -> int:
    query = select(func.count()).select_from(Connection).where(col(Connection.client_id) == client_row_id)
    return unit.session.exec(query).one()


def _give_up_places(unit: Unit, client_row_id: UUID) -> bool:
    """Deletes the app's connections without a living grant; whether there were any."""
    of_client = col(Connection.client_id) == client_row_id
    # Whoever is making a grant in one of them is waited for; only the next statement sees what they made.
    unit.session.exec(select(Connection.store_id).where(of_client).order_by(col(Connection.store_id)).with_for_update())
    is_living = _living(unit, client_row_id)[1]
    ended = delete(Connection).where(of_client, ~is_living).execution_options(synchronize_session=False)
    return unit.change(ended) > 0


def _insert(unit: Unit) -> Any:
    return postgresql.insert if unit.is_postgresql else sqlite.insert
