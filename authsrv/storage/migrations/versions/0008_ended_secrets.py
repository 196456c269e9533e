"""Client secrets by their end, to find those that are over."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_index(op.f("ix_client_secret_expires_at"), "client_secret", ["expires_at"], unique=False)
