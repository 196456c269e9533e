"""`GET /connect` on the central host: the retailer signs in, picks a store of theirs and consents (RFC 6749, 4.1.1)."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from authsrv.kit.errors import DomainError
from authsrv.oauth.manners import Manner
from authsrv.storage.users import STAFF_ROLES
from authsrv.web.authorization_steps import answer_authorization
from authsrv.web.authorizing import in_manner, read_pairs
from authsrv.web.context import context_of
from authsrv.web.page import page
from authsrv.web.runtime import runtime_of

# What tokens of connected apps are for besides the issuer's own APIs.
RESOURCE = "/api"
CONNECT = Manner(
    needs_pkce=False,
    store_parameter="domain_prefix",
    names_issuer=False,
    explains_denial=False,
    roles=STAFF_ROLES,
    code_seconds=600,
    always_refreshes=True,
)


@page
async def connect(request: Request) -> Response:
    """Where the app sends the retailer; the answer carries `code`, `domain_prefix` and `state`."""
    if context_of(request).store is not None:
        raise DomainError("not_found", 404, "Apps are connected on the central host.")
    issuer = runtime_of(request).settings.issuer
    manner = replace(CONNECT, audience=(issuer, issuer + RESOURCE))
    return await answer_authorization(request, in_manner(request, read_pairs(request), manner))
