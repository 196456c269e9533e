"""To how many stores an app may be connected: while it is not approved, to so many and no more."""

from collections.abc import Sequence

from authsrv.identity.stores import KnownStore
from authsrv.oauth.authorization import AuthorizationRefused, AuthorizationRequest
from authsrv.oauth.clients import RegisteredClient
from authsrv.storage.connections import connect_store, list_connected_ids
from authsrv.storage.unit import Unit

MOST_UNAPPROVED = 30


class CannotConnect(AuthorizationRefused):
    """There is no store that the app can be connected to; a person who can be told is told before the app is."""

    why = ""
    reason = ""

    def __init__(self, asked: AuthorizationRequest) -> None:
        super().__init__("access_denied", self.reason, asked.back)
        self.asked = asked


class StoresFull(CannotConnect):
    """It would be one store more than the app may be connected to."""

    why = "full"
    reason = f"The app is not approved, and it is connected to {MOST_UNAPPROVED} stores already, the most it may be."


class NoStoreOfTheirs(CannotConnect):
    """The person is nobody who can connect an app to a store, or not to the one that was named."""

    why = "no_store"
    reason = "The person runs no store that could be connected."


def most_stores(client: RegisteredClient) -> int | None:
    """To how many stores the client may be connected; None where there is no bound."""
    return None if client.is_approved else MOST_UNAPPROVED


def connect(unit: Unit, asked: AuthorizationRequest, store: KnownStore) -> None:
    """Connects the client to the store, if it is not yet. Raises StoresFull."""
    if not connect_store(unit, asked.client.row_id, store.id, most=most_stores(asked.client)):
        raise StoresFull(asked)


def closed_stores(unit: Unit, client: RegisteredClient, stores: Sequence[KnownStore]) -> frozenset[str]:
    """The prefixes of those to which the client can be connected no more, as it stands now."""
    most = most_stores(client)
    if most is None or not stores:
        return frozenset()
    connected = list_connected_ids(unit, client.row_id)
    if len(connected) < most:
        return frozenset()
    return frozenset(store.prefix for store in stores if store.id not in connected)
