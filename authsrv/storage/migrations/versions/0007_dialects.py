"""Stores an app is connected to, and passwords of the Customer API."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    _add_connections()
    _add_api_passwords()


def _add_connections() -> None:
    op.create_table(
        "connection",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_connection_client_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["store_id"], ["store.id"], name=op.f("fk_connection_store_id")),
        sa.PrimaryKeyConstraint("client_id", "store_id", name=op.f("pk_connection")),
        sa.UniqueConstraint("client_id", "place", name=op.f("uq_connection_client_id_place")),
    )
    op.create_index(op.f("ix_connection_store_id"), "connection", ["store_id"], unique=False)
    # An app keeps the stores it has, were they more than it may have from now on.
    op.execute(
        "INSERT INTO connection (client_id, store_id, place, created_at)"
        " SELECT given.client_id, given.store_id,"
        " CASE WHEN client.approved_at IS NULL"
        " THEN row_number() OVER (PARTITION BY given.client_id ORDER BY given.first_at, given.store_id) END,"
        " given.first_at"
        ' FROM (SELECT client_id, store_id, min(created_at) AS first_at FROM "grant"'
        " WHERE store_id IS NOT NULL AND revoked_at IS NULL GROUP BY client_id, store_id) AS given"
        " JOIN client ON client.id = given.client_id"
    )


def _add_api_passwords() -> None:
    """Clients that act for one person in one store, products found by their code, and what a customer notes."""
    # Inline, since SQLite can add no constraint to a table that others refer to.
    owner = sa.Column("user_id", sa.Uuid(), sa.ForeignKey("user.id", name=op.f("fk_client_user_id")), nullable=True)
    op.add_column("client", owner, inline_references=True)
    op.create_index("uq_client_user_id_store_id", "client", ["user_id", "store_id"], unique=True)
    op.create_index("ix_product_store_id_code", "product", ["store_id", "code"], unique=False)
    op.add_column("order", sa.Column("note", sa.String(1000), server_default="", nullable=False))
