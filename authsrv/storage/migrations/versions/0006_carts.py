"""Carts, and prices of one customer's own."""

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    pass
