"""In which stores a developer may let an app work for itself, and what it may have there."""

from uuid import UUID

from authsrv.identity.stores import KnownStore, known_store
from authsrv.oauth.scopes import ScopeCatalogue
from authsrv.storage.clients import Client
from authsrv.storage.store_people import list_workplaces
from authsrv.storage.stores import find_store_by_id
from authsrv.storage.unit import Unit


def list_places(unit: Unit, user_id: UUID, client: Client) -> list[KnownStore]:
    """The store that the app belongs to, and those where the person works."""
    own = find_store_by_id(unit, client.store_id) if client.store_id else None
    stores = {store.id: store for store in ([own] if own else [])}
    stores |= {store.id: store for store, _ in list_workplaces(unit, user_id)}
    return [known_store(store) for store in stores.values()]


def scopes_for_keys(catalogue: ScopeCatalogue, client: Client) -> list[str]:
    """What a key of the app may have: what the app itself may ask for, and what speaks of no person."""
    return catalogue.for_services(client.scope.split())
