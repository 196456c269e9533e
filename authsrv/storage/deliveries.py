"""Deliveries: messages to other servers, written in the transaction of what they tell of, sent until they arrive."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Index, Integer, bindparam, or_, text
from sqlalchemy.orm import aliased
from sqlmodel import Field, SQLModel, col, delete, select, update

from authsrv.storage.clients import Client
from authsrv.storage.columns import UTC_TIME
from authsrv.storage.grants import Grant
from authsrv.storage.unit import Notice, NoticeKind, Unit

_NOT_DONE = text("done_at IS NULL")


class Delivery(SQLModel, table=True):
    """`kind` says who words and signs it at the time of sending; `body` holds what that needs, and no secret."""

    __tablename__ = "delivery"
    # Only what is still to be sent: what was sent is kept for days, and looking for work must not wade through it.
    __table_args__ = (Index("ix_delivery_due_at", "due_at", postgresql_where=_NOT_DONE, sqlite_where=_NOT_DONE),)

    id: UUID = Field(primary_key=True)
    kind: str = Field(max_length=30)
    client_id: str = Field(max_length=512, index=True)
    url: str = Field(max_length=2000)
    body: str
    # The webhook it goes to, and the order it tells of: their events keep their order where they succeed.
    webhook_id: UUID | None = Field(default=None, index=True)
    topic: str | None = Field(default=None, max_length=64)
    attempts: int = 0
    due_at: datetime = Field(sa_type=UTC_TIME)
    done_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    last_status: int | None = None
    last_error: str | None = Field(default=None, max_length=300)
    created_at: datetime = Field(sa_type=UTC_TIME)
    expires_at: datetime = Field(sa_type=UTC_TIME, index=True)


def _is_its_turn() -> ColumnElement[bool]:
    """Events of one order reach a webhook in their order, until one fails: the others do not wait for its retries."""
    earlier = aliased(Delivery)
    is_under_way = or_(col(earlier.attempts) == 0, col(earlier.last_error).is_(None))
    before = (
        select(earlier.id)
        .where(
            col(earlier.webhook_id) == col(Delivery.webhook_id),
            col(earlier.topic) == col(Delivery.topic),
            col(earlier.done_at).is_(None),
            col(earlier.id) < col(Delivery.id),
            is_under_way,
        )
        .exists()
    )
    return or_(col(Delivery.topic).is_(None), ~before)


# Asked every few seconds by each worker for as long as it lives: building it anew would cost most of the asking.
_DUE: Any = select(Delivery.id).where(
    col(Delivery.done_at).is_(None),
    col(Delivery.due_at) <= bindparam("now"),
    col(Delivery.expires_at) > bindparam("now"),
    col(Delivery.kind).in_(bindparam("kinds", expanding=True)),
    col(Delivery.url).not_in(bindparam("passed_over", expanding=True)),
    _is_its_turn(),
)
_ANY_DUE = _DUE.limit(1)
_FIRST_DUE = (
    _DUE.order_by(col(Delivery.due_at)).limit(bindparam("limit", type_=Integer)).with_for_update(skip_locked=True)
)


def add_delivery(unit: Unit, delivery: Delivery) -> None:
    """Stores it; the worker of this process hears of it right after the commit."""
    unit.session.add(delivery)
    unit.session.flush()
    unit.notices.append(Notice(delivery.id, NoticeKind.DELIVERY_ADDED, delivery.kind, delivery.expires_at))


def has_due_deliveries(unit: Unit, kinds: Collection[str], passed_over: Collection[str]) -> bool:
    """Whether claiming would find any; asked first, since a look takes no lock."""
    return unit.session.execute(_ANY_DUE, _asked(unit, kinds, passed_over)).first() is not None


def claim_deliveries(
    unit: Unit, until: datetime, limit: int, kinds: Collection[str], passed_over: Collection[str]
) -> list[Delivery]:
    """Takes up to `limit` due deliveries for this process until then; no two processes get the same one.

    Only those of these `kinds`, and none to the URLs that are `passed_over`. PostgreSQL skips rows another one is
    taking; SQLite has one writer. Who dies with a claim loses it at `until`.
    """
    asked = _asked(unit, kinds, passed_over)
    ids = list(unit.session.execute(_FIRST_DUE, {**asked, "limit": limit}).scalars())
    if not ids:
        return []
    unit.change(update(Delivery).where(col(Delivery.id).in_(ids)).values(due_at=until, attempts=Delivery.attempts + 1))
    claimed = select(Delivery).where(col(Delivery.id).in_(ids)).order_by(col(Delivery.id))
    return list(unit.session.exec(claimed.execution_options(populate_existing=True)))


def finish_delivery(unit: Unit, delivery_id: UUID, status: int | None) -> None:
    """It arrived."""
    changes = {"done_at": unit.now(), "last_status": status, "last_error": None}
    unit.change(update(Delivery).where(col(Delivery.id) == delivery_id).values(**changes))


def postpone_delivery(unit: Unit, delivery: Delivery, due_at: datetime | None, status: int | None, error: str) -> None:
    """It did not arrive: again at `due_at`, or never. Nothing changes if another process has claimed it since."""
    changes = {"last_status": status, "last_error": error[:300]}
    when = {"done_at": unit.now()} if due_at is None else {"due_at": due_at}
    mine = (
        col(Delivery.id) == delivery.id,
        col(Delivery.attempts) == delivery.attempts,
        col(Delivery.done_at).is_(None),
    )
    unit.change(update(Delivery).where(*mine).values(**changes, **when))


def release_deliveries(unit: Unit, ids: Collection[UUID]) -> None:
    """Gives claimed ones back untried."""
    changes = {"due_at": unit.now(), "attempts": Delivery.attempts - 1}
    unit.change(update(Delivery).where(col(Delivery.id).in_(ids)).values(**changes))


def prune_deliveries(unit: Unit, batch: int) -> int:
    """Deletes up to `batch` that are past their time; returns how many."""
    old = select(Delivery.id).where(col(Delivery.expires_at) < unit.now()).limit(batch)
    return unit.change(delete(Delivery).where(col(Delivery.id).in_(old)))


def move_deliveries(unit: Unit, webhook_id: UUID, url: str) -> None:
    """What a webhook is still to be sent goes to its new address."""
    waiting = col(Delivery.webhook_id) == webhook_id, col(Delivery.done_at).is_(None)
    unit.change(update(Delivery).where(*waiting).values(url=url).execution_options(synchronize_session=False))


def find_delivery(unit: Unit, webhook_id: UUID, delivery_id: UUID) -> Delivery | None:
    """One of a webhook's."""
    own = col(Delivery.id) == delivery_id, col(Delivery.webhook_id) == webhook_id
    return unit.session.exec(select(Delivery).where(*own)).first()


def list_deliveries(unit: Unit, webhook_id: UUID, limit: int, before: UUID | None = None) -> list[Delivery]:
    """The latest of a webhook, newest first; from behind the delivery `before`."""
    query = select(Delivery).where(col(Delivery.webhook_id) == webhook_id)
    if before is not None:
        query = query.where(col(Delivery.id) < before)
    return list(unit.session.exec(query.order_by(col(Delivery.id).desc()).limit(limit)))


def redeliver(unit: Unit, webhook_id: UUID, *, delivery_id: UUID | None = None, since: datetime | None = None) -> int:
    """Makes one delivery, or all of a webhook made since then, due again under their old ids; returns how many."""
    chosen = [col(Delivery.webhook_id) == webhook_id]
    if delivery_id is not None:
        chosen.append(col(Delivery.id) == delivery_id)
    if since is not None:
        chosen.append(col(Delivery.created_at) >= since)
    now = unit.now()
    changes = {"due_at": now, "done_at": None, "attempts": 0, "last_error": None}
    count = unit.change(update(Delivery).where(*chosen).values(**changes).execution_options(synchronize_session=False))
    if count:
        unit.notices.append(Notice(unit.new_id(), NoticeKind.DELIVERY_ADDED, "redelivery", now))
    return count


def _asked(unit: Unit, kinds: Collection[str], passed_over: Collection[str]) -> dict[str, Any]:
    return {"now": unit.now(), "kinds": list(kinds), "passed_over": list(passed_over)}


def list_logout_targets(unit: Unit, session_id: UUID, user_id: UUID) -> list[str]:
    """The ids of the clients that asked to be told of sign-outs and have a living grant of this session."""
    query = (
        select(Client.client_id)
        .join(Grant, col(Grant.client_id) == col(Client.id))
        .where(
            col(Grant.user_id) == user_id,
            col(Grant.session_id) == session_id,
            col(Grant.revoked_at).is_(None),
            col(Grant.expires_at) > unit.now(),
            col(Client.backchannel_logout_uri).is_not(None),
            col(Client.suspended_at).is_(None),
        )
        .distinct()
    )
    return list(unit.session.exec(query))
