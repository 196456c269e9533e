"""Everything a door may need, built once in `app.py` and handed down with the request."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request

from authsrv.identity.principals import Principals
from authsrv.identity.sessions import Sessions
from authsrv.identity.sign_in import SignIns
from authsrv.identity.stores import StoreDirectory
from authsrv.kit.clock import Clock
from authsrv.kit.entropy import Entropy
from authsrv.kit.handles import HandleSealer
from authsrv.kit.identifiers import Identifiers
from authsrv.kit.mail import Mailer
from authsrv.kit.passwords import Passwords
from authsrv.kit.pictures import LogoPainter
from authsrv.oauth.client_documents import ClientDocuments
from authsrv.oauth.consent import Consents
from authsrv.oauth.keyring import Keyring
from authsrv.oauth.registering import Registrar
from authsrv.oauth.server import ProtocolServer
from authsrv.settings import Settings
from authsrv.shop.webhooks import Webhooks
from authsrv.storage.database import Database
from authsrv.web.limits import Limits
from authsrv.web.notices import Post
from authsrv.web.stationery import Stationery


@dataclass(frozen=True, slots=True)
class Runtime:
    """The parts of a running server.

    `ensure_fresh` returns once the revocations are known as they were less than a second ago, or raises Unavailable.
    """

    settings: Settings
    clock: Clock
    entropy: Entropy
    database: Database
    server: ProtocolServer
    keyring: Keyring
    stores: StoreDirectory
    principals: Principals
    identifiers: Identifiers
    sealer: HandleSealer
    sessions: Sessions
    consents: Consents
    sign_ins: SignIns
    passwords: Passwords
    painter: LogoPainter
    # None where mail is not set up.
    mailer: Mailer | None
    limits: Limits
    registrar: Registrar
    documents: ClientDocuments
    webhooks: Webhooks
    stationery: Stationery
    metadata_paths: dict[str, str]
    ensure_fresh: Callable[[], Awaitable[None]]
    readiness: Callable[[], Awaitable[dict[str, str]]]
    # `id:secret` of the demo's service, for its pages to show; None outside a demo.
    demo_credentials: str | None

    @property
    def post(self) -> Post:
        return Post(self.mailer, self.stationery, self.settings.issuer)


def runtime_of(request: Request) -> Runtime:
    """The runtime of the app that answers this request."""
    runtime: Runtime = request.scope["app"].runtime
    return runtime
