"""Orders by customer and status at once, from an index alone."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_index(
        op.f("ix_order_store_id_customer_id_status_id"),
        "order",
        ["store_id", "customer_id", "status", "id"],
        unique=False,
    )
