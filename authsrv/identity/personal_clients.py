"""A client of a person's own, switched off and on: by its store, and by whoever suspends the person."""

from datetime import timedelta

from authsrv.storage.clients import Client, save_client
from authsrv.storage.revocations import add_revocation
from authsrv.storage.unit import NoticeKind, Unit

# An hour is the promise to those who write clients, whatever the server's own tokens live.
TOKEN_LIVES = timedelta(hours=1)
# Clocks of several machines differ by less.
_MARGIN = timedelta(hours=1)


def switch_off(unit: Unit, client: Client) -> None:
    """No token of it opens anything, everywhere within a second; nor is there another."""
    if client.suspended_at is None and client.deleted_at is None:
        client.suspended_at = unit.now()
        save_client(unit, client)
        void_name(unit, client)


def switch_on(unit: Unit, client: Client) -> None:
    """New tokens again; those from before stay void."""
    if client.suspended_at is not None and client.deleted_at is None:
        client.suspended_at = None
        save_client(unit, client)
        for kind in (NoticeKind.CLIENT, NoticeKind.CLIENT_RESUMED):
            _tell(unit, kind, client)


def void_name(unit: Unit, client: Client) -> None:
    """Voids all tokens of this client_id, also one that a process issues which has not heard yet."""
    _tell(unit, NoticeKind.CLIENT_SUSPENDED, client)


def _tell(unit: Unit, kind: NoticeKind, client: Client) -> None:
    # All kinds live equally long: what switched it on must not be forgotten before what had switched it off.
    add_revocation(unit, kind, client.client_id, unit.now() + TOKEN_LIVES + _MARGIN)
