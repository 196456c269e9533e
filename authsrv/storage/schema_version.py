"""How far a database has come: the version that Alembic wrote down in it."""

from sqlalchemy import Connection, column, inspect, select, table

_VERSION = table("alembic_version", column("version_num"))


def find_schema_version(connection: Connection) -> str | None:
    """The last migration that ran, None in a database where none did."""
    if not inspect(connection).has_table(_VERSION.name):
        return None
    return connection.execute(select(_VERSION)).scalar()
