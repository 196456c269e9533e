"""How often people may try to sign in: by network address, and what the mails of one store's sign-ins may come to.

Whoever asks for much must not close a store's sign-in to those who ask for little: past the store's limit every network
address still begins a few sign-ins, until the store has sent ten times as many mails as its limit says.
"""

from starlette.requests import Request

from authsrv.web.context import context_of
from authsrv.web.limits import RateLimited, address_key, note_allowance
from authsrv.web.runtime import runtime_of

FEW = "3/10minutes"
TIMES_IN_ALL = 10


async def refuse_flood(request: Request) -> None:
    """Counts a step of signing in against the network address. Raises RateLimited."""
    note_allowance(request, await runtime_of(request).limits.hit("sign_in_per_address", _address(request)))


async def refuse_mail_flood(request: Request, store: str | None) -> None:
    """Counts a sign-in that begins with a mail, at the store with this prefix or at none. Raises RateLimited."""
    limits, key = runtime_of(request).limits, store or ""
    try:
        await limits.hit("sign_in_per_store", key)
    except RateLimited:
        await limits.hit("sign_in_few", f"{key} {_address(request)}")
        await limits.hit("sign_in_in_all", key)


def _address(request: Request) -> str:
    return address_key(context_of(request).client_address)
