"""How far a database has come: the version that Alembic wrote down in it, and the lock of who writes the next."""

from sqlalchemy import Connection, column, inspect, select, table, text

_VERSION = table("alembic_version", column("version_num"))
# Any number nobody else in this database uses: "asrvmigr" as ASCII.
_LOCK = int.from_bytes(b"asrvmigr", "big")


def find_schema_version(connection: Connection) -> str | None:
    """The last migration that ran, None in a database where none did."""
    if not inspect(connection).has_table(_VERSION.name):
        return None
    return connection.execute(select(_VERSION)).scalar()


def lock_schema(connection: Connection) -> None:
    """Waits until nobody else changes the schema, and keeps others waiting until the transaction ends."""
    # SQLite has one writer anyway.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
