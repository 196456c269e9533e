"""Where a caller reaches us: the issuer's URL and, for a store named by host or path, the store's path below it."""

from starlette.requests import Request

from authsrv.web.context import context_of
from authsrv.web.runtime import runtime_of


def own_url(request: Request, path: str) -> str:
    """The absolute URL of a path of ours, in the store this request names; never made of the Host header."""
    store = context_of(request).store
    within = f"/stores/{store}" if store else ""
    return f"{runtime_of(request).settings.issuer}{within}{path}"
