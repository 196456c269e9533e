"""Alembic's entry: runs on the connection that `operations/schema.py` hands over."""

from alembic import context

from authsrv.storage.models import METADATA

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    # SQLite cannot alter a column in place; Alembic then copies the table.
    render_as_batch=connection.dialect.name == "sqlite",
)
context.run_migrations()
