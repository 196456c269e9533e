"""What the gate found out about a request before any door saw it."""

from dataclasses import dataclass
from typing import cast

from starlette.requests import HTTPConnection
from starlette.types import Scope

_KEY = "authsrv.context"


@dataclass(frozen=True, slots=True)
class Context:
    """`store` is the prefix that host or path name, None where neither does; `client_address` is the real caller's.

    `by_host` says that the host named it, and no path.
    """

    request_id: str
    store: str | None
    client_address: str
    is_secure: bool
    by_host: bool = False


def put_context(scope: Scope, context: Context) -> None:
    scope[_KEY] = context


def context_of(connection: HTTPConnection) -> Context:
    """The context of this request."""
    return context_within(connection.scope)


def context_within(scope: Scope) -> Context:
    """The same, where there is no request yet."""
    return cast("Context", scope[_KEY])
