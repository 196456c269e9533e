"""Everything a door may need, built once in `app.py` and handed down with the request."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request

from authsrv.identity.principals import Principals
from authsrv.identity.stores import StoreDirectory
from authsrv.kit.clock import Clock
from authsrv.oauth.keyring import Keyring
from authsrv.oauth.server import ProtocolServer
from authsrv.settings import Settings
from authsrv.storage.database import Database


@dataclass(frozen=True, slots=True)
class Runtime:
    """The parts of a running server.

    `ensure_fresh` returns once the revocations are known as they were less than a second ago, or raises Unavailable.
    """

    settings: Settings
    clock: Clock
    database: Database
    server: ProtocolServer
    keyring: Keyring
    stores: StoreDirectory
    principals: Principals
    metadata_paths: dict[str, str]
    ensure_fresh: Callable[[], Awaitable[None]]
    readiness: Callable[[], Awaitable[dict[str, str]]]


def runtime_of(request: Request) -> Runtime:
    """The runtime of the app that answers this request."""
    runtime: Runtime = request.app.state.runtime
    return runtime
