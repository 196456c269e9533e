"""The demo shop: loaded once into an empty database from `config/seed.toml`."""

import tomllib
from typing import Any, cast

from authsrv.kit.machine_secrets import digest_of, spell_secret
from authsrv.kit.secret_keys import SecretKeys
from authsrv.oauth.registration import NewClient, create_client
from authsrv.oauth.scopes import ScopeCatalogue
from authsrv.settings import config_file
from authsrv.shop.money import to_minor
from authsrv.storage.clients import add_client_secret
from authsrv.storage.products import ProductValues, save_product
from authsrv.storage.signing_keys import lock_signing_keys
from authsrv.storage.stores import Store, add_store, find_store
from authsrv.storage.unit import Unit
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


def _add_people(unit: Unit, store: Store, seed: dict[str, Any]) -> None:
    developer = seed["developer"]
    if find_user(unit, developer["email"]) is None:
        add_user(unit, **developer)
    for person in seed["people"]:
        user = find_user(unit, person["email"]) or add_user(unit, email=person["email"], name=person["name"])
        membership = add_membership(
            unit, store_id=store.id, user_id=user.id, role=person["role"], customer_id=person.get("customer_id")
        )
        membership.may_use_customer_api = person.get("customer_api", False)
