"""The portal: who belongs to an app, its logo, approval, usage, invitations and registration."""

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    pass
