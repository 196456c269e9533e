"""The store whose host or path a request came to: without one there is nothing at Vend's paths."""

from starlette.requests import Request

from authsrv.identity.stores import KnownStore
from authsrv.storage.unit import Unit
from authsrv.web.context import context_of
from authsrv.web.runtime import runtime_of
from authsrv.web.store_hosts import get_store


def store_of(request: Request, unit: Unit) -> KnownStore:
    """The store. Raises `not_found`, on the issuer's own host too."""
    return get_store(runtime_of(request), unit, context_of(request).store or "")
