"""What the gate found out about a request before any door saw it."""

from collections.abc import Mapping
from typing import NamedTuple, cast

from starlette.requests import HTTPConnection
from starlette.types import Scope

_KEY = "authsrv.context"


class Context(NamedTuple):
    """`store` is the prefix that host or path name, None where neither does; `client_address` is the real caller's.

    `by_host` says that the host named it, and no path. `headers` has the last of each name, in lower case.
    """

    request_id: str
    store: str | None
    client_address: str
    is_secure: bool
    by_host: bool
    headers: Mapping[bytes, bytes]


def put_context(scope: Scope, context: Context) -> None:
    scope[_KEY] = context


def context_of(connection: HTTPConnection) -> Context:
    """The context of this request."""
    return context_within(connection.scope)


def context_within(scope: Scope) -> Context:
    """The same, where there is no request yet."""
    return cast("Context", scope[_KEY])


def values_of(connection: HTTPConnection, name: bytes) -> list[bytes]:
    """All values of a header, whose name is in lower case; for the hot path, where Starlette's own are slow to read."""
    headers, sent = context_of(connection).headers, connection.scope["headers"]
    if name not in headers:
        return []
    return [headers[name]] if len(headers) == len(sent) else [value for each, value in sent if each == name]
