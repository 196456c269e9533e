"""The logos of apps, as the small PNGs that were made of what was uploaded."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel, col, delete, select

from authsrv.storage.columns import UTC_TIME
from authsrv.storage.unit import Unit


class ClientLogo(SQLModel, table=True):
    """One for each app; a new picture has a new id, so browsers may keep the old one for good."""

    __tablename__ = "client_logo"

    id: UUID = Field(primary_key=True)
    client_id: UUID = Field(foreign_key="client.id", unique=True)
    png: bytes
    created_at: datetime = Field(sa_type=UTC_TIME)


def put_logo(unit: Unit, client_row_id: UUID, png: bytes) -> UUID:
    """Stores the logo in the place of an earlier one; returns its id. Under the client's lock."""
    remove_logo(unit, client_row_id)
    logo = ClientLogo(id=unit.new_id(), client_id=client_row_id, png=png, created_at=unit.now())
    unit.session.add(logo)
    unit.session.flush()
    return logo.id


def remove_logo(unit: Unit, client_row_id: UUID) -> bool:
    return unit.change(delete(ClientLogo).where(col(ClientLogo.client_id) == client_row_id)) == 1


def find_logo(unit: Unit, logo_id: UUID) -> bytes | None:
    """The picture as PNG."""
    return unit.session.exec(select(ClientLogo.png).where(ClientLogo.id == logo_id)).first()
