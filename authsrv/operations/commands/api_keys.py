"""`authsrv api-keys`: long-lived keys for one store each."""

from typing import Annotated, Any

import typer

from authsrv.identity.api_keys import NewApiKey, create_api_key, end_api_key, status_of
from authsrv.identity.emails import normal_email
from authsrv.operations.commands.app_rows import get_app
from authsrv.operations.commands.running import ACTOR, AsJson, Tools, run, show_many, show_one
from authsrv.operations.commands.store_rows import get_store
from authsrv.storage.api_keys import ApiKey, list_api_keys
from authsrv.storage.stores import find_store_by_id
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_user_by_id

commands = typer.Typer(help="API keys.", no_args_is_help=True)

_ONCE = "Keep the api_key now: it is not stored and will not be shown again."


@commands.callback()
def group() -> None:
    """API keys."""


@commands.command("create")
def create(
    name: str,
    developer: Annotated[str, typer.Option(help="The developer's e-mail address; made if unknown.")],
    store: Annotated[str, typer.Option(help="Prefix of the store it is for.")],
    scope: Annotated[str, typer.Option(help='What it may do, as in "orders:read orders:write".')],
    app: Annotated[str | None, typer.Option(help="The app it belongs to, by client_id.")] = None,
    expires_in: Annotated[int | None, typer.Option(metavar="SECONDS", help="Never when left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key for a store; it is shown here and never again."""

    def work(unit: Unit, tools: Tools) -> dict[str, Any]:
        client = get_app(unit, app) if app else None
        new = NewApiKey(name, normal_email(developer), store, scope, expires_in, app=client)
        allowed = tools.scopes.for_services(tools.scopes.names)
        key, text = create_api_key(unit, new, allowed_scopes=allowed, entropy=tools.entropy, actor=ACTOR)
        return _described(unit, key, text)

    show_one(run(work), as_json=as_json, note=_ONCE)


@commands.command("list")
def list_all(
    store: Annotated[str | None, typer.Option(help="Only this store's, by prefix.")] = None, as_json: AsJson = False
) -> None:
    """All keys, newest first, revoked ones included."""

    def work(unit: Unit, _: Tools) -> list[dict[str, Any]]:
        store_id = get_store(unit, store).id if store else None
        return [_described(unit, key) for key in list_api_keys(unit, store_id=store_id)]

    columns = ("id", "name", "store", "scope", "status", "last_four", "last_used_at", "developer")
    show_many(run(work), as_json=as_json, columns=columns, nothing="No API keys.")


@commands.command("revoke")
def revoke(key_id: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False) -> None:
    """End a key, at once and everywhere."""

    def work(unit: Unit, _: Tools) -> dict[str, Any]:
        return _described(unit, end_api_key(unit, key_id, actor=ACTOR))

    show_one(run(work), as_json=as_json)


def _described(unit: Unit, key: ApiKey, text: str | None = None) -> dict[str, Any]:
    """A key as the command line shows it."""
    store, developer = find_store_by_id(unit, key.store_id), find_user_by_id(unit, key.developer_id)
    return {
        "id": key.key_id,
        **({"api_key": text} if text else {}),
        "name": key.name,
        "developer": developer.email if developer else None,
        "store": store.prefix if store else None,
        "scope": key.scope,
        "status": status_of(key, unit.now()),
        "last_four": key.last_four,
        "created_at": key.created_at.isoformat(),
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
        "last_used_at": key.last_used_at.isoformat() if key.last_used_at else None,
    }
