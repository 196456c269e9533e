"""`authsrv stores`: the shops."""

import re
from typing import Annotated, Any

import typer

from authsrv.kit.errors import DomainError
from authsrv.operations.commands.running import ACTOR, AsJson, Tools, run, show_many, show_one
from authsrv.shop.money import is_currency
from authsrv.storage.audit import add_audit_event
from authsrv.storage.lookups import search_stores
from authsrv.storage.stores import Store, add_store, find_store
from authsrv.storage.unit import Unit

commands = typer.Typer(help="Shops.", no_args_is_help=True)
_PREFIX = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


@commands.callback()
def group() -> None:
    """Shops."""


@commands.command("create")
def create(
    prefix: Annotated[str, typer.Argument(help="Names the store in host names: letters, digits and hyphens.")],
    name: Annotated[str, typer.Option(help="What people call it.")],
    currency: Annotated[str, typer.Option(help="ISO 4217.")] = "EUR",
    as_json: AsJson = False,
) -> None:
    """Make a store."""

    def work(unit: Unit, _: Tools) -> dict[str, Any]:
        if not _PREFIX.fullmatch(prefix):
            raise DomainError(
                "invalid", 400, f"{prefix}: a prefix has lower-case letters, digits and hyphens, 40 at most."
            )
        if not is_currency(currency):
            raise DomainError("invalid", 400, f"{currency}: is not an ISO 4217 currency code.")
        if find_store(unit, prefix) is not None:
            raise DomainError("exists", 409, f"There is a store {prefix} already.")
        store = add_store(unit, prefix=prefix, name=name, currency=currency)
        add_audit_event(unit, "store.created", actor=ACTOR, subject=prefix)
        return _described(store)

    show_one(run(work), as_json=as_json)


@commands.command("list")
def list_all(
    search: Annotated[str, typer.Option(help="A part of the prefix or name.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    as_json: AsJson = False,
) -> None:
    """Stores, newest first."""
    rows = run(lambda unit, _: [_described(store) for store in search_stores(unit, search, limit=limit)])
    show_many(rows, as_json=as_json, columns=("prefix", "name", "currency", "created_at"), nothing="No stores.")


def _described(store: Store) -> dict[str, Any]:
    return {
        "id": str(store.id),
        "prefix": store.prefix,
        "name": store.name,
        "currency": store.currency,
        "created_at": store.created_at.isoformat(),
    }
