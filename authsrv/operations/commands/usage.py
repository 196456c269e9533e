"""`authsrv usage`: what an app asked for, day by day."""

from datetime import timedelta
from typing import Annotated, Any

import typer

from authsrv.kit.errors import DomainError
from authsrv.operations.commands.running import AsJson, Tools, run, show_many
from authsrv.storage.api_keys import list_app_keys
from authsrv.storage.clients import find_client
from authsrv.storage.unit import Unit
from authsrv.storage.usage import list_usage

commands = typer.Typer()


@commands.command("usage")
def usage(
    client_id: Annotated[str, typer.Argument(metavar="ID", help="The client_id.")],
    days: Annotated[int, typer.Option(min=1, max=400, help="How many days back, today included.")] = 30,
    as_json: AsJson = False,
) -> None:
    """What an app and its API keys asked for, by day, kind and reason of refusal; counted a few seconds behind."""

    def work(unit: Unit, _: Tools) -> list[dict[str, Any]]:
        client = find_client(unit, client_id)
        if client is None:
            raise DomainError("not_found", 404, f"There is no app {client_id}.")
        whose = [client.client_id, *(key.key_id for key, _ in list_app_keys(unit, client.id))]
        since = unit.now().date() - timedelta(days=days - 1)
        return [
            {"day": row.day.isoformat(), "kind": row.kind, "refused": row.reason or None, "count": row.count}
            for row in list_usage(unit, whose, since)
        ]

    show_many(run(work), as_json=as_json, columns=("day", "kind", "refused", "count"), nothing="Nothing counted yet.")
