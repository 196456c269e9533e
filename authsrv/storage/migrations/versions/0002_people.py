"""People sign in: sessions, codes by mail, used assertions, deliveries, and what grants and clients need for them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("client_id", sa.String(512), nullable=False),
        sa.Column("url", sa.String(2000), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.String(300), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
    )
    op.create_index(op.f("ix_delivery_client_id"), "delivery", ["client_id"], unique=False)
    not_done = sa.text("done_at IS NULL")
    op.create_index("ix_delivery_due_at", "delivery", ["due_at"], postgresql_where=not_done, sqlite_where=not_done)
    op.create_index(op.f("ix_delivery_expires_at"), "delivery", ["expires_at"], unique=False)
    op.create_table(
        "mail",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("to", sa.String(254), nullable=False),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("html", sa.String(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
    )
    op.create_index(op.f("ix_mail_expires_at"), "mail", ["expires_at"], unique=False)
    op.create_table(
        "used_assertion",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.String(512), nullable=False),
        sa.Column("jti_digest", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_used_assertion")),
        sa.UniqueConstraint("client_id", "jti_digest", name=op.f("uq_used_assertion_client_id_jti_digest")),
    )
    op.create_index(op.f("ix_used_assertion_expires_at"), "used_assertion", ["expires_at"], unique=False)
    op.create_table(
        "email_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("purpose", sa.String(20), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=True),
        sa.Column("first_name", sa.String(100), nullable=False),
        sa.Column("last_name", sa.String(100), nullable=False),
        sa.Column("counter", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["store.id"], name=op.f("fk_email_code_store_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_code")),
    )
    op.create_index(op.f("ix_email_code_email"), "email_code", ["email"], unique=False)
    op.create_index(op.f("ix_email_code_expires_at"), "email_code", ["expires_at"], unique=False)
    op.create_table(
        "session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("amr", sa.String(40), nullable=False),
        sa.Column("auth_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_agent", sa.String(300), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_session_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
    )
    op.create_index(op.f("ix_session_expires_at"), "session", ["expires_at"], unique=False)
    op.create_index(op.f("ix_session_user_id"), "session", ["user_id"], unique=False)
    op.add_column("client", sa.Column("jwks_uri", sa.String(2000), nullable=True))
    op.add_column("client", sa.Column("logo_uri", sa.String(2000), nullable=True))
    op.add_column("client", sa.Column("client_uri", sa.String(2000), nullable=True))
    op.add_column("client", sa.Column("policy_uri", sa.String(2000), nullable=True))
    op.add_column("client", sa.Column("tos_uri", sa.String(2000), nullable=True))
    op.add_column("client", sa.Column("subject_type", sa.String(10), server_default="public", nullable=False))
    op.add_column("client", sa.Column("userinfo_alg", sa.String(10), nullable=True))
    op.add_column("client", sa.Column("consent_changed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("grant", sa.Column("session_id", sa.Uuid(), nullable=True))
    op.add_column("grant", sa.Column("amr", sa.String(40), server_default="", nullable=False))
    op.add_column("grant", sa.Column("audience", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("grant", sa.Column("claims", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("grant", sa.Column("is_refreshable", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("grant", sa.Column("code_expires_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("user", sa.Column("subject_salt", sa.String(32), nullable=True))
    postgresql = op.get_bind().dialect.name == "postgresql"
    salt = "replace(gen_random_uuid()::text, '-', '')" if postgresql else "lower(hex(randomblob(16)))"
    op.execute(sa.update(sa.table("user", sa.column("subject_salt"))).values(subject_salt=sa.literal_column(salt)))
    op.add_column("user", sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("user", sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True))
