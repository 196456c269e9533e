"""Deleting a client: all of its tokens die at once, nobody finds it any more, and the audit log keeps what it did."""

from authsrv.oauth.keyring import LONGEST_TOKEN
from authsrv.storage.api_keys import announce_keys_of
from authsrv.storage.approvals import WITHDRAWN, settle_open_requests
from authsrv.storage.audit import add_audit_event
from authsrv.storage.client_logos import remove_logo
from authsrv.storage.clients import Client, expire_secrets, lock_client, save_client
from authsrv.storage.grants import revoke_client_grants
from authsrv.storage.revocations import add_revocation
from authsrv.storage.unit import NoticeKind, Unit
from authsrv.storage.webhooks import disable_webhooks_of


def delete_client(unit: Unit, client: Client, *, actor: str) -> bool:
    """False where somebody was quicker. Its row stays, unfindable, for the audit log to point at."""
    if not lock_client(unit, client):
        return False
    client.deleted_at = unit.now()
    client.logo_uri = None
    save_client(unit, client)
    # Whenever it was issued, a token of this client is void.
    add_revocation(unit, NoticeKind.CLIENT_SUSPENDED, client.client_id, unit.now() + LONGEST_TOKEN)
    revoke_client_grants(unit, client.id)
    expire_secrets(unit, client, unit.now())
    announce_keys_of(unit, client.id)
    disable_webhooks_of(unit, client.id)
    remove_logo(unit, client.id)
    settle_open_requests(unit, client.id, status=WITHDRAWN, decided_by=actor)
    add_audit_event(unit, "client.deleted", actor=actor, subject=client.client_id, name=client.name)
    return True
