"""`authsrv prices`: what single customers pay instead of what the catalogue says."""

from typing import Annotated, Any

import typer

from authsrv.identity.emails import normal_email
from authsrv.kit.errors import DomainError
from authsrv.operations.commands.running import ACTOR, AsJson, Tools, run, show_many, show_one
from authsrv.operations.commands.store_rows import get_store
from authsrv.shop.money import from_minor, to_minor
from authsrv.storage.audit import add_audit_event
from authsrv.storage.prices import drop_price, list_own_prices, save_price
from authsrv.storage.products import Product, list_products_named
from authsrv.storage.stores import Store
from authsrv.storage.unit import Unit
from authsrv.storage.users import User, find_user

commands = typer.Typer(help="Prices of single customers.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="The customer.")]
ProductId = Annotated[str, typer.Argument(help="The store's name for the product.")]
Prefix = Annotated[str, typer.Option("--store", help="Prefix of the store.")]
_COLUMNS = ("product_id", "name", "price", "catalogue", "currency")


@commands.callback()
def group() -> None:
    """Prices of single customers."""


@commands.command("set")
def set_price(
    email: Email,
    product_id: ProductId,
    price: Annotated[str, typer.Argument(help="As in 9.99, in the store's currency.")],
    store: Prefix,
    as_json: AsJson = False,
) -> None:
    """Give a customer a price of their own for a product."""

    def work(unit: Unit, _: Tools) -> dict[str, Any]:
        shop, user, product = _get_all(unit, store, email, product_id)
        try:
            price_minor = to_minor(price, shop.currency)
        except ValueError as fault:
            raise DomainError("invalid", 400, f"price: {fault}.") from None
        save_price(unit, product.id, user.id, price_minor)
        _note(unit, "price.set", shop, user, product)
        return _shown(shop, product, price_minor)

    show_one(run(work), as_json=as_json)


@commands.command("remove")
def remove(email: Email, product_id: ProductId, store: Prefix, as_json: AsJson = False) -> None:
    """Let the customer pay what everybody pays again."""

    def work(unit: Unit, _: Tools) -> dict[str, Any]:
        shop, user, product = _get_all(unit, store, email, product_id)
        removed = drop_price(unit, product.id, user.id)
        if removed:
            _note(unit, "price.removed", shop, user, product)
        return {"product_id": product_id, "removed": removed}

    show_one(run(work), as_json=as_json)


@commands.command("list")
def list_prices(email: Email, store: Prefix, as_json: AsJson = False) -> None:
    """Show a customer's own prices."""

    def work(unit: Unit, _: Tools) -> list[dict[str, Any]]:
        shop, user = get_store(unit, store), _get_user(unit, email)
        return [_shown(shop, product, price) for product, price in list_own_prices(unit, shop.id, user.id)]

    show_many(run(work), as_json=as_json, columns=_COLUMNS, nothing="This customer pays what the catalogue says.")


def _get_all(unit: Unit, prefix: str, email: str, product_id: str) -> tuple[Store, User, Product]:
    store, user = get_store(unit, prefix), _get_user(unit, email)
    found = list_products_named(unit, store.id, [product_id])
    if not found:
        raise DomainError("not_found", 404, f"There is no product {product_id} in {prefix}.")
    return store, user, found[0]


def _get_user(unit: Unit, email: str) -> User:
    user = find_user(unit, normal_email(email))
    if user is None:
        raise DomainError("not_found", 404, f"Nobody is known as {email}.")
    return user


def _note(unit: Unit, event: str, store: Store, user: User, product: Product) -> None:
    add_audit_event(unit, event, actor=ACTOR, subject=user.email, store=store.prefix, product=product.product_id)


def _shown(store: Store, product: Product, price_minor: int) -> dict[str, Any]:
    return {
        "product_id": product.product_id,
        "name": product.name,
        "price": str(from_minor(price_minor, store.currency)),
        "catalogue": str(from_minor(product.price_minor, store.currency)),
        "currency": store.currency,
    }
