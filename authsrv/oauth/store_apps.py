"""Taking an app out of a store: what people there allowed it, its keys and webhooks, and the store that is its own."""

from authsrv.oauth.keyring import LONGEST_TOKEN
from authsrv.storage.api_keys import list_app_keys, revoke_api_key
from authsrv.storage.audit import add_audit_event
from authsrv.storage.clients import Client, save_client
from authsrv.storage.revocations import add_revocation
from authsrv.storage.store_apps import end_store_app
from authsrv.storage.stores import Store
from authsrv.storage.unit import NoticeKind, Unit
from authsrv.storage.webhooks import delete_webhooks_at


def disconnect_app(unit: Unit, store: Store, client: Client, *, actor: str) -> bool:
    """Everything at once, tokens included; False when the app had nothing there. People can connect it again.

    A service that belongs to the store acts there without anybody's consent, so it loses the store for good.
    """
    tokens_end_at = unit.now() + LONGEST_TOKEN
    grants = end_store_app(unit, store.id, client, tokens_end_at)
    keys = sum(
        revoke_api_key(unit, key.key_id) for key, prefix in list_app_keys(unit, client.id) if prefix == store.prefix
    )
    webhooks = delete_webhooks_at(unit, client.id, store.id)
    leaves = client.store_id == store.id and client.user_id is None and "client_credentials" in client.grant_types
    if leaves:
        client.store_id = None
        save_client(unit, client)
        add_revocation(unit, NoticeKind.CLIENT, client.client_id, tokens_end_at)
    if not (grants or keys or webhooks or leaves):
        return False
    details: dict[str, str | int | None] = {"store": store.prefix, "grants": grants, "keys": keys, "webhooks": webhooks}
    add_audit_event(unit, "store.app_disconnected", actor=actor, subject=client.client_id, **details)
    return True
