"""`authsrv grants`: what people have allowed apps to do."""

from typing import Annotated, Any

import typer

from authsrv.identity.emails import normal_email
from authsrv.kit.errors import DomainError
from authsrv.kit.identifiers import parse_uuid
from authsrv.oauth.keyring import LONGEST_TOKEN
from authsrv.operations.commands.running import ACTOR, AsJson, Tools, run, show_many, show_one
from authsrv.storage.audit import add_audit_event
from authsrv.storage.grants import list_grants, revoke_grant
from authsrv.storage.unit import Unit

commands = typer.Typer(help="What people have allowed apps to do.", no_args_is_help=True)


@commands.command("list")
def list_all(
    user: Annotated[str | None, typer.Option(help="Only this person's, by e-mail address.")] = None,
    client: Annotated[str | None, typer.Option(help="Only this app's, by client_id.")] = None,
    as_json: AsJson = False,
) -> None:
    """Living grants, newest first."""

    def work(unit: Unit, _: Tools) -> list[dict[str, Any]]:
        found = list_grants(unit, email=normal_email(user) if user else None, client_id=client)
        return [
            {
                "id": str(grant.id),
                "client_id": client_id,
                "user": email,
                "store": store,
                "scope": grant.scope,
                "created_at": grant.created_at.isoformat(),
                "last_used_at": (last.isoformat() if (last := grant.refreshed_at or grant.redeemed_at) else None),
            }
            for grant, client_id, email, store in found
        ]

    columns = ("id", "client_id", "user", "store", "scope", "last_used_at")
    show_many(run(work), as_json=as_json, columns=columns, nothing="No grants.")


@commands.command("revoke")
def revoke(grant_id: Annotated[str, typer.Argument(metavar="GRANT_ID")], as_json: AsJson = False) -> None:
    """End a grant and every token of it, at once."""

    def work(unit: Unit, _: Tools) -> dict[str, Any]:
        row_id = parse_uuid(grant_id)
        if row_id is None or not revoke_grant(unit, row_id, unit.now() + LONGEST_TOKEN):
            raise DomainError("not_found", 404, f"There is no living grant {grant_id}.")
        add_audit_event(unit, "grant.revoked", actor=ACTOR, subject=grant_id)
        return {"id": grant_id, "revoked": True}

    show_one(run(work), as_json=as_json)
