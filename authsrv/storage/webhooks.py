"""Webhooks: who wants to hear of what happens to a store's orders."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel, col, delete, select, update
from sqlmodel.sql.expression import SelectOfScalar

from authsrv.storage.clients import Client
from authsrv.storage.columns import UTC_TIME
from authsrv.storage.stores import Store
from authsrv.storage.unit import Unit


class Webhook(SQLModel, table=True):
    """An endpoint. Its secret is sealed: unlike a password it must be had again, to sign with."""

    __tablename__ = "webhook"

    id: UUID = Field(primary_key=True)
    store_id: UUID = Field(foreign_key="store.id", index=True)
    developer_id: UUID | None = Field(default=None, foreign_key="user.id", index=True)
    # The app it was made for in the portal; None for one of the command line.
    client_id: UUID | None = Field(default=None, foreign_key="client.id", index=True)
    url: str = Field(max_length=2000)
    events: list[str] = Field(sa_column=Column(JSON, nullable=False))
    sealed_secret: bytes
    # During a rotation both sign.
    sealed_old_secret: bytes | None = None
    old_secret_expires_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    failing_since: datetime | None = Field(default=None, sa_type=UTC_TIME)
    disabled_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    created_at: datetime = Field(sa_type=UTC_TIME)
    updated_at: datetime = Field(sa_type=UTC_TIME)


class DeliveryAttempt(SQLModel, table=True):
    """One try to deliver: what came back, cut short, and how long it took."""

    __tablename__ = "delivery_attempt"

    id: UUID = Field(primary_key=True)
    delivery_id: UUID = Field(foreign_key="delivery.id", index=True, ondelete="CASCADE")
    status: int | None = None
    error: str | None = Field(default=None, max_length=300)
    answer: str = Field(default="", max_length=1000)
    milliseconds: int
    created_at: datetime = Field(sa_type=UTC_TIME)


def add_webhook(unit: Unit, webhook: Webhook) -> None:
    unit.session.add(webhook)
    unit.session.flush()


def save_webhook(unit: Unit, webhook: Webhook) -> None:
    webhook.updated_at = unit.now()
    unit.session.add(webhook)
    unit.session.flush()


def delete_webhook(unit: Unit, webhook_id: UUID) -> None:
    """Gone; what was still to be sent to it finds nobody left."""
    unit.change(delete(Webhook).where(col(Webhook.id) == webhook_id))


def find_webhook(unit: Unit, webhook_id: UUID) -> Webhook | None:
    return unit.session.get(Webhook, webhook_id)


def list_webhooks(unit: Unit, store_id: UUID) -> list[Webhook]:
    """All of the store's, newest first."""
    return list(unit.session.exec(select(Webhook).where(Webhook.store_id == store_id).order_by(col(Webhook.id).desc())))


def list_app_webhooks(unit: Unit, client_row_id: UUID) -> list[tuple[Webhook, str]]:
    """All of an app's, newest first, each with its store's prefix."""
    query = select(Webhook, Store.prefix).join(Store, col(Store.id) == col(Webhook.store_id))
    return list(unit.session.exec(query.where(Webhook.client_id == client_row_id).order_by(col(Webhook.id).desc())))


def find_app_webhook(unit: Unit, client_row_id: UUID, webhook_id: UUID) -> tuple[Webhook, str] | None:
    """One of an app's, with its store's prefix."""
    query = select(Webhook, Store.prefix).join(Store, col(Store.id) == col(Webhook.store_id))
    return unit.session.exec(query.where(Webhook.client_id == client_row_id, Webhook.id == webhook_id)).first()


def disable_webhooks_of(unit: Unit, client_row_id: UUID) -> int:
    """Switches off all of an app's; returns how many were on."""
    on = col(Webhook.client_id) == client_row_id, col(Webhook.disabled_at).is_(None)
    off = update(Webhook).where(*on).values(disabled_at=unit.now())
    return unit.change(off.execution_options(synchronize_session=False))


def delete_webhooks_at(unit: Unit, client_row_id: UUID, store_id: UUID) -> int:
    """Deletes those of an app in one store; returns how many there were."""
    there = col(Webhook.client_id) == client_row_id, col(Webhook.store_id) == store_id
    return unit.change(delete(Webhook).where(*there).execution_options(synchronize_session=False))


def list_all_webhooks(unit: Unit) -> list[Webhook]:
    """Those of all stores."""
    return list(unit.session.exec(select(Webhook)))


def list_listening(unit: Unit, store_id: UUID, event: str) -> list[Webhook]:
    """Those that are on and want this event; a suspended app hears of nothing."""
    there = _listening().where(col(Webhook.store_id) == store_id)
    return [webhook for webhook in unit.session.exec(there) if event in webhook.events]


def find_listening(unit: Unit, webhook_id: UUID) -> Webhook | None:
    """The webhook, if it is still on and its app is not suspended."""
    return unit.session.exec(_listening().where(col(Webhook.id) == webhook_id)).first()


def _listening() -> SelectOfScalar[Webhook]:
    # One of the command line belongs to no app.
    query = select(Webhook).join(Client, col(Client.id) == col(Webhook.client_id), isouter=True)
    return query.where(col(Webhook.disabled_at).is_(None), col(Client.suspended_at).is_(None))


def note_success(unit: Unit, webhook_id: UUID) -> None:
    """It answered: whatever failed before is forgotten."""
    unit.change(
        update(Webhook)
        .where(col(Webhook.id) == webhook_id, col(Webhook.failing_since).is_not(None))
        .values(failing_since=None)
        .execution_options(synchronize_session=False)
    )


def note_failure(unit: Unit, webhook_id: UUID) -> datetime | None:
    """It did not answer; returns since when it has not."""
    now = unit.now()
    unit.change(
        update(Webhook)
        .where(col(Webhook.id) == webhook_id, col(Webhook.failing_since).is_(None))
        .values(failing_since=now)
        .execution_options(synchronize_session=False)
    )
    webhook = unit.session.get(Webhook, webhook_id, populate_existing=True)
    return webhook.failing_since if webhook else None


def disable_webhook(unit: Unit, webhook_id: UUID) -> bool:
    """Switches it off; False when it was off."""
    return (
        unit.change(
            update(Webhook)
            .where(col(Webhook.id) == webhook_id, col(Webhook.disabled_at).is_(None))
            .values(disabled_at=unit.now())
        )
        == 1
    )


def add_attempt(unit: Unit, attempt: DeliveryAttempt) -> None:
    unit.session.add(attempt)
    unit.session.flush()


def list_attempts(unit: Unit, delivery_id: UUID) -> list[DeliveryAttempt]:
    """The tries of one delivery, in their order."""
    of_delivery = select(DeliveryAttempt).where(col(DeliveryAttempt.delivery_id) == delivery_id)
    return list(unit.session.exec(of_delivery.order_by(col(DeliveryAttempt.id))))
