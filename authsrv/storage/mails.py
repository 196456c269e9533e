"""The outbox of the demo: mails that were not sent anywhere, for the person who tries the server out."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel, col, delete, select

from authsrv.storage.columns import UTC_TIME
from authsrv.storage.unit import Unit


class Mail(SQLModel, table=True):
    """A mail that would have been sent."""

    __tablename__ = "mail"

    id: UUID = Field(primary_key=True)
    to: str = Field(max_length=254)
    subject: str = Field(max_length=300)
    text: str
    html: str
    sent_at: datetime = Field(sa_type=UTC_TIME)
    expires_at: datetime = Field(sa_type=UTC_TIME, index=True)


def add_mail(unit: Unit, mail: Mail) -> None:
    unit.session.add(mail)
    unit.session.flush()


def list_mails(unit: Unit, limit: int = 100) -> list[Mail]:
    """The latest, newest first."""
    return list(unit.session.exec(select(Mail).order_by(col(Mail.id).desc()).limit(limit)))


def prune_mails(unit: Unit, batch: int) -> int:
    """Deletes up to `batch` old mails; returns how many."""
    old = select(Mail.id).where(col(Mail.expires_at) < unit.now()).limit(batch)
    return unit.change(delete(Mail).where(col(Mail.id).in_(old)))
