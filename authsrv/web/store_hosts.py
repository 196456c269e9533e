"""Which store a request is for, and what of the house answers on a store's own host.

Discovery and the protocol belong to the issuer (RFC 8414, 3.3): on the host of a store there is nothing at their paths.
"""

from collections.abc import MutableMapping
from typing import Any

from starlette.requests import Request
from starlette.routing import Match, Route
from starlette.types import Scope

from authsrv.identity.stores import KnownStore
from authsrv.kit.errors import DomainError
from authsrv.storage.unit import Unit
from authsrv.web.context import context_of, context_within
from authsrv.web.runtime import Runtime, runtime_of


class IssuersRoute(Route):
    """A route that is not there on the hosts of stores."""

    def matches(self, scope: Scope) -> tuple[Match, MutableMapping[str, Any]]:
        if scope["type"] == "http" and context_within(scope).by_host:
            return Match.NONE, {}
        return super().matches(scope)


def prefix_of(request: Request) -> str:
    """The prefix of the store that host or path name, else of the one on the issuer's own host; empty for none."""
    return context_of(request).store or runtime_of(request).settings.default_store


def get_store(runtime: Runtime, unit: Unit, prefix: str) -> KnownStore:
    """The store of this prefix. Raises `not_found`."""
    store = runtime.stores.find(unit, prefix) if prefix else None
    if store is None:
        raise DomainError("not_found", 404, "There is no such store.")
    return store
