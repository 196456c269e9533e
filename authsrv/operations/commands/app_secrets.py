"""`authsrv apps secrets`: an app's living secrets, a second one, and when each ends."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from authsrv.kit.errors import DomainError
from authsrv.kit.identifiers import parse_uuid
from authsrv.oauth.client_secrets import add_second_secret, end_secret
from authsrv.operations.commands.app_rows import ONCE, AppId, change_app, get_app
from authsrv.operations.commands.running import ACTOR, AsJson, Tools, run, show_many
from authsrv.storage.clients import Client, list_live_secrets
from authsrv.storage.unit import Unit

commands = typer.Typer(help="Secrets of an app.", no_args_is_help=True)

_NEVER = "never"


@commands.command("list")
def list_all(client_id: AppId, as_json: AsJson = False) -> None:
    """Its living secrets, newest first."""
    _show(client_id, lambda unit, client: None, as_json=as_json)


@commands.command("add")
def add(client_id: AppId, as_json: AsJson = False) -> None:
    """A second secret beside the one that lives, shown once."""

    def change(unit: Unit, client: Client, tools: Tools) -> str:
        return add_second_secret(unit, client, tools.entropy, actor=ACTOR)

    change_app(client_id, change, as_json=as_json, note=ONCE)


@commands.command("end")
def end(
    client_id: AppId,
    secret: Annotated[str, typer.Argument(help="Its id, from `secrets list`.")],
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="2026-12-31 or with a time; never; now if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """End a secret now or on a day, or let it live on."""

    def change(unit: Unit, client: Client) -> None:
        secret_id = parse_uuid(secret)
        if secret_id is None:
            raise DomainError("not_found", 404, f"There is no living secret {secret}.")
        end_secret(unit, client, secret_id, at=_read_time(at, unit.now()), actor=ACTOR)

    _show(client_id, change, as_json=as_json)


def _show(client_id: str, change: Any, *, as_json: bool) -> None:
    def work(unit: Unit, _: Tools) -> list[dict[str, Any]]:
        client = get_app(unit, client_id)
        change(unit, client)
        unit.session.expire_all()
        return [
            {
                "id": str(secret.id),
                "last_four": secret.last_four,
                "created_at": secret.created_at.isoformat(),
                "last_used_at": secret.last_used_at.isoformat() if secret.last_used_at else None,
                "expires_at": secret.expires_at.isoformat() if secret.expires_at else None,
            }
            for secret in list_live_secrets(unit, client.id)
        ]

    columns = ("id", "last_four", "created_at", "last_used_at", "expires_at")
    show_many(run(work), as_json=as_json, columns=columns, nothing="No living secret.")


def _read_time(text: str | None, now: datetime) -> datetime | None:
    if text is None:
        return now
    if text == _NEVER:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise DomainError("invalid_request", 400, "at: must be a time such as 2026-12-31T18:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
