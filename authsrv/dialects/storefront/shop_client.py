"""The store's own client, as whose the tokens of this dialect are issued: what its document says of them, as data."""

from authsrv.oauth.own_clients import OwnClient

# The document's `expires_in`: 31 days.
ACCESS_SECONDS = 2_678_400
# It says nothing of the refresh token's life. Twice as long: one that ended with its access token would be no use.
REFRESH_SECONDS = 2 * ACCESS_SECONDS
SCOPE = "products:read account:read cart orders:read"


def client_id_of(prefix: str) -> str:
    """The client of the store of this prefix; no registered app can be called so, their ids are random."""
    return f"storefront-{prefix}"


def wanted_client(prefix: str) -> OwnClient:
    """What it is made with."""
    return OwnClient(
        client_id=client_id_of(prefix),
        scope=SCOPE,
        access_seconds=ACCESS_SECONDS,
        refresh_idle_seconds=REFRESH_SECONDS,
    )
