"""How often anybody may take a step of signing in, whichever door it is at."""

from starlette.requests import Request

from authsrv.web.context import context_of
from authsrv.web.limits import address_key, note_allowance
from authsrv.web.runtime import runtime_of


async def refuse_flood(request: Request) -> None:
    """Counts a step of signing in against the network address, and against the store. Raises RateLimited."""
    runtime, context = runtime_of(request), context_of(request)
    note_allowance(request, await runtime.limits.hit("sign_in_per_address", address_key(context.client_address)))
    await runtime.limits.hit("sign_in_per_store", context.store or runtime.settings.default_store)
