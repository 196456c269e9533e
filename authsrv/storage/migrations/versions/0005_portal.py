"""The portal: who belongs to an app, its logo, approval, usage, invitations and registration."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    _add_members()
    _add_approval()
    op.add_column("client", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("client_secret", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("session", sa.Column("renewals", sa.Integer(), server_default="0", nullable=False))
    _add_usage()
    _add_invitations()
    _tie_to_apps()
    _add_registrations()


def _add_usage() -> None:
    op.create_table(
        "usage",
        sa.Column("client_id", sa.String(512), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "day", "kind", "reason", name=op.f("pk_usage")),
    )
    op.create_index(op.f("ix_usage_day"), "usage", ["day"], unique=False)


def _add_invitations() -> None:
    op.create_table(
        "invitation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["invited_by"], ["user.id"], name=op.f("fk_invitation_invited_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
    )
    op.create_index(op.f("ix_invitation_email"), "invitation", ["email"], unique=False)
    op.create_index(op.f("ix_invitation_expires_at"), "invitation", ["expires_at"], unique=False)
    op.create_index("ix_invitation_target_id_kind", "invitation", ["target_id", "kind"], unique=False)


def _tie_to_apps() -> None:
    """API keys and webhooks of an app, and who may no longer sign in."""
    for table in ("api_key", "webhook"):
        with op.batch_alter_table(table) as batch:
            batch.add_column(sa.Column("client_id", sa.Uuid(), nullable=True))
            batch.create_foreign_key(op.f(f"fk_{table}_client_id"), "client", ["client_id"], ["id"])
        op.create_index(op.f(f"ix_{table}_client_id"), table, ["client_id"], unique=False)
    op.add_column("user", sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True))
    # An app's events are few among the many of those who use it.
    op.create_index(op.f("ix_audit_event_subject_event_id"), "audit_event", ["subject", "event", "id"], unique=False)
    op.drop_index(op.f("ix_audit_event_subject"), "audit_event")
    op.create_index(op.f("ix_audit_event_event_id"), "audit_event", ["event", "id"], unique=False)
    op.create_index(op.f("ix_audit_event_actor_id"), "audit_event", ["actor", "id"], unique=False)


def _add_members() -> None:
    op.create_table(
        "client_member",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_client_member_client_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_client_member_user_id")),
        sa.PrimaryKeyConstraint("client_id", "user_id", name=op.f("pk_client_member")),
    )
    op.create_index(op.f("ix_client_member_user_id"), "client_member", ["user_id"], unique=False)
    # Whoever made an app runs it.
    op.execute(
        "INSERT INTO client_member (client_id, user_id, role, created_at)"
        " SELECT id, developer_id, 'admin', created_at FROM client"
    )


def _add_approval() -> None:
    op.create_table(
        "approval_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("text", sa.String(2000), nullable=False),
        sa.Column("wanted", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(2000), nullable=False),
        sa.Column("asked_by", sa.String(254), nullable=False),
        sa.Column("decided_by", sa.String(254), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_approval_request_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_request")),
    )
    op.create_index(op.f("ix_approval_request_status"), "approval_request", ["status"], unique=False)
    op.create_index(
        "uq_approval_request_open",
        "approval_request",
        ["client_id", "kind"],
        unique=True,
        sqlite_where=sa.text("status = 'open'"),
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_table(
        "client_logo",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("png", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_client_logo_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_logo")),
        sa.UniqueConstraint("client_id", name=op.f("uq_client_logo_client_id")),
    )


def _add_registrations() -> None:
    """Apps that make themselves known."""
    op.add_column("client", sa.Column("origin", sa.String(10), server_default="made", nullable=False))
    op.create_table(
        "initial_access_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_initial_access_token")),
    )
    op.create_table(
        "registration",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("initial_access_token_id", sa.Uuid(), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=True),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("renewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_registration_client_id")),
        sa.ForeignKeyConstraint(
            ["initial_access_token_id"],
            ["initial_access_token.id"],
            name=op.f("fk_registration_initial_access_token_id"),
        ),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_registration")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_registration_fingerprint")),
    )
    op.create_index(op.f("ix_registration_expires_at"), "registration", ["expires_at"], unique=False)
