"""API passwords: with which a program acts as one customer of one store, once the store has allowed it.

A password is a client of the customer's own: its id and secret are random UUIDs (122 bits, so SHA-256 suffices), its
tokens are the customer's, and caches and the feed know it as any other client.
"""

from dataclasses import dataclass
from uuid import UUID

from authsrv.identity.personal_clients import TOKEN_LIVES, switch_off, switch_on, void_name
from authsrv.identity.suspension import PersonSuspended
from authsrv.kit.entropy import Entropy
from authsrv.kit.errors import DomainError
from authsrv.kit.machine_secrets import digest_of
from authsrv.storage.audit import add_audit_event
from authsrv.storage.clients import Client, add_client, add_client_secret, announce_client, save_client
from authsrv.storage.personal_clients import (
    change_all_permissions,
    change_permission,
    delete_secrets,
    find_personal_client,
    hold_permission,
    list_clients_at,
)
from authsrv.storage.stores import Store, find_store
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_user, hold_active_user

SCOPES = ("orders:read", "orders:write", "products:read")
PERSONAL = "personal"
TOKEN_FORMAT = "bare_jwt"


@dataclass(frozen=True, slots=True)
class ApiPassword:
    """A pair as it is shown once."""

    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True)
class Customer:
    """A person in a store, by their row ids and, for people who read of it, by e-mail address and prefix."""

    user_id: UUID
    store_id: UUID
    email: str
    store: str


def get_customer(unit: Unit, email: str, prefix: str) -> Customer:
    """The person in the store. Raises `not_found` when there is no such person or store."""
    store = find_store(unit, prefix)
    if store is None:
        raise DomainError("not_found", 404, f"There is no store {prefix}.")
    user = find_user(unit, email)
    if user is None:
        raise DomainError("not_found", 404, f"There is no person {email}.")
    return Customer(user.id, store.id, user.email, store.prefix)


def allow_customer(unit: Unit, customer: Customer, *, actor: str) -> None:
    """The customer may make a password; one that they had works again, its old tokens do not. Raises not_found."""
    is_active = hold_active_user(unit, customer.user_id)
    _change(unit, customer, allowed=True)
    client = find_personal_client(unit, user_id=customer.user_id, store_id=customer.store_id)
    if client is not None and is_active:
        switch_on(unit, client)
    _record(unit, "allowed", customer, actor)


def withdraw_customer(unit: Unit, customer: Customer, *, actor: str) -> None:
    """No password and no token of it opens anything, everywhere within a second. Raises not_found."""
    _change(unit, customer, allowed=False)
    client = find_personal_client(unit, user_id=customer.user_id, store_id=customer.store_id)
    if client is not None:
        switch_off(unit, client)
    _record(unit, "withdrawn", customer, actor)


def change_all_customers(unit: Unit, store: Store, *, allowed: bool, actor: str) -> int:
    """Allows all of the store's customers, or none; returns for how many that is news."""
    count = change_all_permissions(unit, store.id, allowed=allowed)
    for client in list_clients_at(unit, store.id):
        (switch_on if allowed else switch_off)(unit, client)
    event = "customer_api.all_allowed" if allowed else "customer_api.all_withdrawn"
    add_audit_event(unit, event, actor=actor, subject=store.prefix, customers=count)
    return count


def make_password(
    unit: Unit, customer: Customer, *, entropy: Entropy, actor: str, secret_id: UUID | None = None
) -> ApiPassword:
    """A new pair in place of the one before, whose tokens end. Raises `customer_api_not_allowed`, PersonSuspended.

    `secret_id` is the id of its row to be: IntegrityError where there is one already.
    """
    if not hold_active_user(unit, customer.user_id):
        raise PersonSuspended
    if not hold_permission(unit, user_id=customer.user_id, store_id=customer.store_id):
        raise DomainError("customer_api_not_allowed", 403, "The store has not allowed this customer an API password.")
    made = ApiPassword(_random_uuid(entropy), _random_uuid(entropy))
    client = find_personal_client(unit, user_id=customer.user_id, store_id=customer.store_id)
    if client is None:
        client = add_client(unit, _new_client(unit, customer, made.client_id))
    else:
        _end_name(unit, client)
        client.client_id = made.client_id
        client.deleted_at, client.suspended_at, client.created_at = None, None, unit.now()
        save_client(unit, client)
    digest = digest_of(made.client_secret)
    secret = add_client_secret(unit, client, digest, made.client_secret[-4:], secret_id=secret_id)
    delete_secrets(unit, client, but=secret.id)
    _record(unit, "password_made", customer, actor)
    return made


def revoke_password(unit: Unit, customer: Customer, *, actor: str) -> bool:
    """Ends the customer's pair and its tokens, everywhere within a second; False when they have none."""
    client = find_personal_client(unit, user_id=customer.user_id, store_id=customer.store_id)
    if client is None or client.deleted_at is not None:
        return False
    _end_name(unit, client)
    delete_secrets(unit, client)
    client.deleted_at = unit.now()
    save_client(unit, client)
    _record(unit, "password_revoked", customer, actor)
    return True


def _change(unit: Unit, customer: Customer, *, allowed: bool) -> None:
    if not change_permission(unit, user_id=customer.user_id, store_id=customer.store_id, allowed=allowed):
        raise DomainError("not_found", 404, f"{customer.email} is no customer of {customer.store}.")


def _end_name(unit: Unit, client: Client) -> None:
    """Voids all tokens of this client_id, also one that a process issues which has not heard yet."""
    announce_client(unit, client.client_id)
    void_name(unit, client)


def _record(unit: Unit, event: str, customer: Customer, actor: str) -> None:
    add_audit_event(unit, f"customer_api.{event}", actor=actor, subject=customer.email, store=customer.store)


def _new_client(unit: Unit, customer: Customer, client_id: str) -> Client:
    now = unit.now()
    return Client(
        id=unit.new_id(),
        client_id=client_id,
        name="API password",
        type=PERSONAL,
        developer_id=customer.user_id,
        store_id=customer.store_id,
        user_id=customer.user_id,
        scope=" ".join(SCOPES),
        grant_types=["client_credentials"],
        redirect_uris=[],
        post_logout_redirect_uris=[],
        token_format=TOKEN_FORMAT,
        signing_alg="RS256",
        access_seconds=int(TOKEN_LIVES.total_seconds()),
        created_at=now,
        updated_at=now,
    )


def _random_uuid(entropy: Entropy) -> str:
    """RFC 9562, 5.4."""
    return str(UUID(bytes=entropy.token_bytes(16), version=4))
