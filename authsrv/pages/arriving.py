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
from authsrv.web.runtime import Runtime, runtime_of
from authsrv.web.sessions import set_session_cookie
from authsrv.web.templates import link, local_path

# Who comes to run apps, a store or this server is nobody's customer by that.
_STORELESS = ("/developers", "/operator")


@dataclass(frozen=True, slots=True)
class Arrival:
    """`next` is a checked local path or None; `names_store` whether host or path named the store, not the settings.

    `prefix` is None for who comes to the portal: a developer's account has nothing to do with any store.
    """

    runtime: Runtime
    next: str | None
    prefix: str | None
    names_store: bool

    @property
    def is_developers(self) -> bool:
        """Whether the person comes to the portal, where signing in is signing up too."""
        return _is_below(self.runtime, self.next, ("/developers",))

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
    there = local_path(request, form.get("next") or request.query_params.get("next"))
    if named is None and _is_below(runtime, there, _STORELESS):
        return Arrival(runtime, there, None, names_store=False)
    return Arrival(runtime, there, named or runtime.settings.default_store or None, bool(named))


def _is_below(runtime: Runtime, path: str | None, parts: tuple[str, ...]) -> bool:
    within = (path or "").removeprefix(runtime.settings.issuer_path).partition("?")[0]
    return any(within == part or within.startswith(f"{part}/") for part in parts)


def arrive(request: Request, arrival: Arrival, cookie: str) -> Response:
    """Signed in: on to where the person was going."""
    there = arrival.next or link(request, "/account")
    response = RedirectResponse(there, 303, {"Cache-Control": "no-store"})
    set_session_cookie(response, request, cookie)
    forget_browser(request, response)
    return response
