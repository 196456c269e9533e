"""What every way of signing in shares: where the person wants to go, in which store, and how they get there."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from authsrv.identity.stores import KnownStore
from authsrv.kit.errors import DomainError
from authsrv.storage.unit import Unit
from authsrv.web.context import context_of
from authsrv.web.csrf import forget_browser
from authsrv.web.limits import address_key, note_allowance
from authsrv.web.runtime import Runtime, runtime_of
from authsrv.web.sessions import set_session_cookie
from authsrv.web.templates import link, local_path


@dataclass(frozen=True, slots=True)
class Arrival:
    """`next` is a checked local path or None; `names_store` whether host or path named the store, not the settings."""

    runtime: Runtime
    next: str | None
    prefix: str | None
    names_store: bool

    def find_store(self, unit: Unit) -> KnownStore | None:
        """The store the person signs in at. Raises not_found for one that host or path name and that is not there."""
        store = self.runtime.stores.find(unit, self.prefix) if self.prefix else None
        if store is None and self.names_store:
            raise DomainError("not_found", 404, f"There is no store {self.prefix}.")
        return store


def arrival_of(request: Request, form: Mapping[str, str]) -> Arrival:
    """From the form, else the query, and the request's context."""
    runtime = runtime_of(request)
    named = context_of(request).store
    asked = form.get("next") or request.query_params.get("next")
    return Arrival(runtime, local_path(request, asked), named or runtime.settings.default_store or None, bool(named))


async def refuse_flood(request: Request) -> None:
    """Counts a step of signing in against the network address, and against the store. Raises RateLimited."""
    runtime, context = runtime_of(request), context_of(request)
    note_allowance(request, await runtime.limits.hit("sign_in_per_address", address_key(context.client_address)))
    await runtime.limits.hit("sign_in_per_store", context.store or runtime.settings.default_store)


def arrive(request: Request, arrival: Arrival, cookie: str) -> Response:
    """Signed in: on to where the person was going."""
    there = arrival.next or link(request, "/account")
    response = RedirectResponse(there, 303, {"Cache-Control": "no-store"})
    set_session_cookie(response, request, cookie)
    forget_browser(request, response)
    return response
