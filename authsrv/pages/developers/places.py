"""In which stores a developer may let an app work for itself, and what it may have there."""

from uuid import UUID

from starlette.requests import Request

from authsrv.identity.sessions import SignedIn
from authsrv.identity.stores import KnownStore, known_store
from authsrv.oauth.scopes import ScopeCatalogue
from authsrv.storage.clients import Client
from authsrv.storage.store_people import list_workplaces
from authsrv.storage.stores import find_store, find_store_by_id
from authsrv.storage.unit import Unit
from authsrv.web.runtime import runtime_of


def list_places(unit: Unit, user_id: UUID, client: Client) -> list[KnownStore]:
    """The store that the app belongs to, and those where the person works."""
    own = find_store_by_id(unit, client.store_id) if client.store_id else None
    stores = {store.id: store for store in ([own] if own else [])}
    stores |= {store.id: store for store, _ in list_workplaces(unit, user_id)}
    return [known_store(store) for store in stores.values()]


async def find_service_places(request: Request, person: SignedIn) -> list[KnownStore]:
    """Where the person works, by name: a service there sees every order, so nobody else may make one or give it more.

    The demo's shop is for everybody to try: what is in it is made up, and its own service's secret is on the page.
    """
    runtime = runtime_of(request)

    def look(unit: Unit) -> list[KnownStore]:
        demo = find_store(unit, runtime.settings.default_store) if runtime.settings.demo else None
        stores = {store.id: store for store in ([demo] if demo else [])}
        stores |= {store.id: store for store, _ in list_workplaces(unit, person.user_id)}
        return sorted(map(known_store, stores.values()), key=lambda store: store.name)

    return await runtime.database.transact(look, read_only=True)


def scopes_for_keys(catalogue: ScopeCatalogue, client: Client) -> list[str]:
    """What a key of the app may have: what the app itself may ask for, and what speaks of no person."""
    return catalogue.for_services(client.scope.split())
