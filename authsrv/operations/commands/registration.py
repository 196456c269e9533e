"""`authsrv registration`: initial access tokens, for apps that register themselves (RFC 7591, 1.2)."""

from datetime import timedelta
from typing import Annotated, Any

import typer

from authsrv.kit.errors import DomainError
from authsrv.kit.handles import Handle
from authsrv.kit.identifiers import parse_uuid
from authsrv.oauth.registering import INITIAL_ACCESS_TOKEN
from authsrv.operations.commands.running import ACTOR, AsJson, Tools, run, show_many, show_one
from authsrv.storage.audit import add_audit_event
from authsrv.storage.registrations import (
    InitialAccessToken,
    add_initial_access_token,
    list_initial_access_tokens,
    revoke_initial_access_token,
)
from authsrv.storage.unit import Unit

commands = typer.Typer(help="Apps that register themselves.", no_args_is_help=True)
tokens = typer.Typer(help="Initial access tokens: who has one may register apps.", no_args_is_help=True)
commands.add_typer(tokens, name="token")

_ONCE = "Keep the initial_access_token now: it is not stored and will not be shown again."
_LONGEST_SECONDS = 3_153_600_000


@commands.callback()
def group() -> None:
    """Apps that register themselves."""


@tokens.command("create")
def create(
    name: Annotated[str, typer.Option(help="Whom it is for.")] = "",
    expires: Annotated[
        int | None, typer.Option(metavar="SECONDS", min=1, max=_LONGEST_SECONDS, help="Never when left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token; it is shown here and never again."""

    def work(unit: Unit, tools: Tools) -> dict[str, Any]:
        expires_at = unit.now() + timedelta(seconds=expires) if expires else None
        token = add_initial_access_token(unit, name[:200], expires_at)
        add_audit_event(unit, "initial_access_token.created", actor=ACTOR, subject=str(token.id), name=token.name)
        text = tools.sealer.seal(INITIAL_ACCESS_TOKEN, Handle(token.id, 0))
        return {**_described(unit, token), "initial_access_token": text}

    show_one(run(work), as_json=as_json, note=_ONCE)


@tokens.command("list")
def list_all(as_json: AsJson = False) -> None:
    """All tokens, newest first, revoked and expired ones included."""
    rows = run(lambda unit, _: [_described(unit, token) for token in list_initial_access_tokens(unit)])
    columns = ("id", "name", "status", "created_at", "expires_at")
    show_many(rows, as_json=as_json, columns=columns, nothing="No initial access tokens.")


@tokens.command("revoke")
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="As the list shows it.")], as_json: AsJson = False
) -> None:
    """Nobody registers with it any more; what was registered stays."""

    def work(unit: Unit, _: Tools) -> dict[str, Any]:
        known = parse_uuid(token_id)
        if known is None or not revoke_initial_access_token(unit, known):
            raise DomainError("not_found", 404, f"There is no living initial access token {token_id}.")
        add_audit_event(unit, "initial_access_token.revoked", actor=ACTOR, subject=token_id)
        return {"id": token_id, "status": "revoked"}

    show_one(run(work), as_json=as_json)


def _described(unit: Unit, token: InitialAccessToken) -> dict[str, Any]:
    has_expired = token.expires_at is not None and token.expires_at <= unit.now()
    status = "revoked" if token.revoked_at else "expired" if has_expired else "active"
    return {
        "id": str(token.id),
        "name": token.name,
        "status": status,
        "created_at": token.created_at.isoformat(),
        "expires_at": token.expires_at.isoformat() if token.expires_at else None,
    }
