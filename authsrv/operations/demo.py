"""The demo shop: loaded once into an empty database from `config/seed.toml`."""

import tomllib
from datetime import date, timedelta
from typing import Any, cast

from authsrv.kit.machine_secrets import digest_of, spell_secret
from authsrv.kit.secret_keys import SecretKeys
from authsrv.oauth.approvals import request_approval
from authsrv.oauth.registration import NewClient, create_client
from authsrv.oauth.scopes import ScopeCatalogue
from authsrv.settings import config_file
from authsrv.shop.money import to_minor
from authsrv.storage.clients import add_client_secret
from authsrv.storage.connections import add_connected_grant, connect_store
from authsrv.storage.grants import Grant
from authsrv.storage.products import ProductValues, save_product
from authsrv.storage.signing_keys import lock_signing_keys
from authsrv.storage.stores import Store, add_store, find_store
from authsrv.storage.unit import Unit
from authsrv.storage.usage import UsageKey, add_usage
from authsrv.storage.users import add_membership, add_user, find_user


def read_seed() -> dict[str, Any]:
    """The demo shop as it stands in the file."""
    return tomllib.loads(config_file("seed.toml").read_text(encoding="utf-8"))


def demo_secret(keys: SecretKeys, client_id: str) -> str:
    """The demo client's secret: another on every installation, the same at every start, so it can be shown again."""
    return spell_secret("cs_", keys.sealing(f"demo secret {client_id}").material)


def demo_credentials(keys: SecretKeys) -> str:
    """`id:secret` of the demo's service."""
    client_id = read_seed()["clients"][0]["client_id"]
    return f"{client_id}:{demo_secret(keys, client_id)}"


def seed_demo(unit: Unit, keys: SecretKeys, scopes: ScopeCatalogue) -> None:
    """Loads the shop unless it is there."""
    # Several workers may start at once: the same lock that guards the first keys guards the first shop.
    lock_signing_keys(unit)
    seed = read_seed()
    if find_store(unit, seed["store"]["prefix"]) is not None:
        return
    store = add_store(unit, **seed["store"])
    _add_people(unit, store, seed)
    for product in seed["products"]:
        price = to_minor(product.pop("price"), store.currency)
        save_product(unit, store.id, cast("ProductValues", {**product, "price_minor": price}))
    for entry in seed["clients"]:
        client_id = entry.pop("client_id")
        new = NewClient(**entry, developer=seed["developer"]["email"], store=store.prefix, is_approved=True)
        client = create_client(unit, new, client_id=client_id, actor="demo", scopes=scopes)
        secret = demo_secret(keys, client_id)
        add_client_secret(unit, client, digest_of(secret), secret[-4:])
        add_usage(unit, past_usage(client_id, unit.now().date()))
    _add_asking(unit, store, seed["asking"], seed["developer"]["email"], scopes)


def past_usage(client_id: str, today: date) -> dict[UsageKey, int]:
    """A month as a shop has it: quiet at weekends, and now and then something goes wrong."""
    counts = {}
    for past in range(1, 30):
        day = today - timedelta(days=past)
        calls = (90 if day.weekday() >= 5 else 240) + 17 * (day.toordinal() % 9)
        counts[UsageKey(client_id, day, "api")] = calls
        counts[UsageKey(client_id, day, "token")] = calls // 20
        if day.toordinal() % 4 == 0:
            counts[UsageKey(client_id, day, "api", "not_found")] = calls // 60
        if day.toordinal() % 7 == 0:
            counts[UsageKey(client_id, day, "token", "invalid_client")] = 3
    return counts


def _add_asking(unit: Unit, store: Store, entry: dict[str, Any], developer: str, scopes: ScopeCatalogue) -> None:
    """An app that waits for its approval, and that a customer has connected already."""
    client_id, text, email = entry.pop("client_id"), entry.pop("text"), entry.pop("connected_by")
    new = NewClient(**entry, developer=developer)
    client = create_client(unit, new, client_id=client_id, actor="demo", scopes=scopes)
    request_approval(unit, client, text=text, asked_by=developer)
    user, now = find_user(unit, email), unit.now()
    if user is None or not connect_store(unit, client.id, store.id, most=None):
        return
    grant = Grant(
        id=unit.new_id(),
        user_id=user.id,
        client_id=client.id,
        store_id=store.id,
        scope=client.scope,
        requested_scope=client.scope,
        auth_time=now,
        created_at=now,
        expires_at=now + timedelta(days=365),
    )
    add_connected_grant(unit, grant)


def _add_people(unit: Unit, store: Store, seed: dict[str, Any]) -> None:
    developer = seed["developer"]
    if find_user(unit, developer["email"]) is None:
        add_user(unit, **developer)
    operator = find_user(unit, seed["operator"]["email"]) or add_user(unit, **seed["operator"])
    operator.is_operator = True
    unit.session.add(operator)
    for person in seed["people"]:
        user = find_user(unit, person["email"]) or add_user(unit, email=person["email"], name=person["name"])
        membership = add_membership(
            unit, store_id=store.id, user_id=user.id, role=person["role"], customer_id=person.get("customer_id")
        )
        membership.may_use_customer_api = person.get("customer_api", False)
