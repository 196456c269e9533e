"""A client's logo: a picture of ours at an address of ours, told of in its metadata (RFC 7591, 2: `logo_uri`)."""

from authsrv.storage.audit import add_audit_event
from authsrv.storage.client_logos import put_logo, remove_logo
from authsrv.storage.clients import Client, lock_client, save_client
from authsrv.storage.unit import Unit


def give_logo(unit: Unit, client: Client, png: bytes, *, issuer: str, actor: str) -> None:
    """In the place of the one it has."""
    # Of two uploads at once the later one stays.
    lock_client(unit, client)
    client.logo_uri = f"{issuer}/logos/{put_logo(unit, client.id, png)}.png"
    _save(unit, client, actor)


def take_logo(unit: Unit, client: Client, *, actor: str) -> None:
    remove_logo(unit, client.id)
    client.logo_uri = None
    _save(unit, client, actor)


def _save(unit: Unit, client: Client, actor: str) -> None:
    save_client(unit, client)
    add_audit_event(unit, "client.changed", actor=actor, subject=client.client_id, fields="logo")
