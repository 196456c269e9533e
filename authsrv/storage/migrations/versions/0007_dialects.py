"""Stores an app is connected to, and passwords of the Customer API."""

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    pass
