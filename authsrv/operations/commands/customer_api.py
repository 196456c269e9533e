"""`authsrv customer-api`: which customers may have an API password of their own, and one for a customer who asks."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from authsrv.identity.customer_api import (
    Customer,
    allow_customer,
    change_all_customers,
    get_customer,
    make_password,
    revoke_password,
    withdraw_customer,
)
from authsrv.identity.emails import normal_email
from authsrv.kit.errors import DomainError
from authsrv.operations.commands.running import ACTOR, AsJson, Tools, run, show_one
from authsrv.operations.commands.store_rows import get_store
from authsrv.storage.unit import Unit

commands = typer.Typer(help="Customers who use the Customer API.", no_args_is_help=True)

_ONCE = "Keep the client_secret now: it is not stored and will not be shown again."
Store = Annotated[str, typer.Option(help="Prefix of the store.")]


@commands.callback()
def group() -> None:
    """Customers who use the Customer API."""


@commands.command("create")
def create(email: str, store: Store, as_json: AsJson = False) -> None:
    """Make the API password of a customer whom the store has allowed; the one before ends."""

    def work(unit: Unit, tools: Tools) -> dict[str, Any]:
        customer = get_customer(unit, normal_email(email), store)
        made = make_password(unit, customer, entropy=tools.entropy, actor=ACTOR)
        return {
            "client_id": made.client_id,
            "client_secret": made.client_secret,
            "email": customer.email,
            "store": store,
        }

    show_one(run(work), as_json=as_json, note=_ONCE)


@commands.command("allow")
def allow(email: str, store: Store, as_json: AsJson = False) -> None:
    """Let a customer use the Customer API; they make the password at /account."""
    _change(email, store, lambda unit, customer: allow_customer(unit, customer, actor=ACTOR), may=True, as_json=as_json)


@commands.command("withdraw")
def withdraw(email: str, store: Store, as_json: AsJson = False) -> None:
    """Take it back: the password and every live token of it stop at once, everywhere."""
    _change(
        email, store, lambda unit, customer: withdraw_customer(unit, customer, actor=ACTOR), may=False, as_json=as_json
    )


@commands.command("revoke")
def revoke(email: str, store: Store, as_json: AsJson = False) -> None:
    """End a customer's API password and its live tokens; they may make another."""

    def work(unit: Unit, _: Tools) -> dict[str, Any]:
        customer = get_customer(unit, normal_email(email), store)
        if not revoke_password(unit, customer, actor=ACTOR):
            raise DomainError("not_found", 404, f"{customer.email} has no API password in {store}.")
        return {"email": customer.email, "store": store, "revoked": True}

    show_one(run(work), as_json=as_json)


@commands.command("allow-all")
def allow_all(store: Store, as_json: AsJson = False) -> None:
    """Let all of a store's customers use the Customer API, those who join later not among them."""
    _change_all(store, may=True, as_json=as_json)


@commands.command("withdraw-all")
def withdraw_all(store: Store, as_json: AsJson = False) -> None:
    """Take it back from all of them: passwords and live tokens stop at once, everywhere."""
    _change_all(store, may=False, as_json=as_json)


def _change_all(prefix: str, *, may: bool, as_json: bool) -> None:
    def work(unit: Unit, _: Tools) -> dict[str, Any]:
        store = get_store(unit, prefix)
        changed = change_all_customers(unit, store, allowed=may, actor=ACTOR)
        return {"store": prefix, "customer_api": may, "changed": changed}

    show_one(run(work), as_json=as_json)


def _change(email: str, store: str, change: Callable[[Unit, Customer], None], *, may: bool, as_json: bool) -> None:
    def work(unit: Unit, _: Tools) -> dict[str, Any]:
        customer = get_customer(unit, normal_email(email), store)
        change(unit, customer)
        return {"email": customer.email, "store": customer.store, "customer_api": may}

    show_one(run(work), as_json=as_json)
