"""A Core statement as the PostgreSQL driver takes it: compiled once, run without a session (DESIGN, decision 5)."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import JSON
from sqlalchemy.dialects.postgresql import asyncpg

_DIALECT: Any = asyncpg.dialect


class DirectStatement:
    """SQL, the order of its values, and which of its columns come back as JSON text."""

    def __init__(self, statement: Any) -> None:
        compiled = statement.compile(dialect=_DIALECT())
        self.sql = str(compiled)
        self._names: Sequence[str] = compiled.positiontup
        self._json = tuple(at for at, column in enumerate(statement.exported_columns) if isinstance(column.type, JSON))

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """The values in the order of their places."""
        return [values[name] for name in self._names]

    def row(self, record: Sequence[Any] | None) -> Sequence[Any] | None:
        """The row with its JSON read, as the session would have given it."""
        if record is None:
            return None
        row = list(record)
        for at in self._json:
            # A connection that SQLAlchemy set up may have read it already.
            if isinstance(row[at], str | bytes):
                row[at] = orjson.loads(row[at])
        return row
