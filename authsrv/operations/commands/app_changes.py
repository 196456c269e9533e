"""`authsrv apps update|delete|events|ask-approval`: what its developers do at the portal."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from authsrv.kit.errors import DomainError
from authsrv.kit.pictures import BadPicture, LogoPainter
from authsrv.oauth.approvals import request_approval
from authsrv.oauth.client_changes import change_client, change_keys, change_to_secrets
from authsrv.oauth.client_deletion import delete_client
from authsrv.oauth.client_logos import give_logo, take_logo
from authsrv.operations.commands.app_rows import AppId, change_app, get_app, read_jwks
from authsrv.operations.commands.running import ACTOR, AsJson, Tools, fail, run, show_many, show_one
from authsrv.storage.app_events import APP_EVENTS, list_app_events
from authsrv.storage.clients import Client
from authsrv.storage.unit import Unit

Uris = Annotated[list[str] | None, typer.Option(help="In place of those it has; may repeat.")]
Link = Annotated[str | None, typer.Option(metavar="URL", help="Shown where people are asked to allow the app.")]
_FAULTS = {
    "size": "is larger than 512 KB",
    "pixels": "is larger than 2048 by 2048 pixels",
    "format": "is no PNG, JPEG or WebP picture",
}


def update(
    client_id: AppId,
    name: Annotated[str | None, typer.Option(help="What people know it by; they are asked again.")] = None,
    redirect_uri: Uris = None,
    post_logout_redirect_uri: Uris = None,
    scope: Annotated[str | None, typer.Option(help='What it may ask for, as in "openid orders:read".')] = None,
    home_page: Link = None,
    privacy: Link = None,
    terms: Link = None,
    logo: Annotated[Path | None, typer.Option(help="PNG, JPEG or WebP; drawn anew, nothing else is kept.")] = None,
    no_logo: Annotated[bool, typer.Option("--no-logo", help="Remove the logo.")] = False,
    jwks: Annotated[Path | None, typer.Option(help="Public keys in place of secrets (private_key_jwt).")] = None,
    jwks_uri: Annotated[str | None, typer.Option(help="Where it publishes them instead.")] = None,
    secrets: Annotated[bool, typer.Option("--secrets", help="Back from keys to secrets.")] = False,
    as_json: AsJson = False,
) -> None:
    """Change an app; an operator's word needs no approval."""
    picture = _draw(logo) if logo else None
    keys = read_jwks(jwks)
    fields = {
        "name": name,
        "redirect_uris": redirect_uri,
        "post_logout_redirect_uris": post_logout_redirect_uri,
        "scope": scope,
        "client_uri": home_page,
        "policy_uri": privacy,
        "tos_uri": terms,
    }
    wanted = {field: value for field, value in fields.items() if value is not None}

    def change(unit: Unit, client: Client, tools: Tools) -> None:
        change_client(unit, client, wanted, actor=ACTOR, scopes=tools.scopes, is_operator=True)
        if keys is not None or jwks_uri is not None:
            change_keys(unit, client, jwks=keys, jwks_uri=jwks_uri, actor=ACTOR, scopes=tools.scopes)
        if secrets:
            change_to_secrets(unit, client, actor=ACTOR)
        if picture is not None and not tools.settings.issuer:
            raise DomainError("invalid_request", 400, "logo: set AUTHSRV_ISSUER, the URL it is served under")
        if picture is not None:
            give_logo(unit, client, picture, issuer=tools.settings.issuer, actor=ACTOR)
        elif no_logo:
            take_logo(unit, client, actor=ACTOR)

    change_app(client_id, change, as_json=as_json)


def delete(
    client_id: AppId,
    name: Annotated[str, typer.Option(help="The app's name, to be sure.")],
    as_json: AsJson = False,
) -> None:
    """Delete an app: all of its tokens, keys and secrets end at once; what the audit log says of it stays."""

    def work(unit: Unit, _: Tools) -> dict[str, Any]:
        client = get_app(unit, client_id)
        if client.name != name:
            raise DomainError("invalid_request", 400, f"name: the app is called {client.name}")
        return {"deleted": delete_client(unit, client, actor=ACTOR)}

    show_one(run(work), as_json=as_json)


def events(
    client_id: AppId,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: AsJson = False,
) -> None:
    """What happened to an app, newest first."""

    def work(unit: Unit, _: Tools) -> list[dict[str, Any]]:
        found = list_app_events(unit, get_app(unit, client_id), events=APP_EVENTS, before=None, limit=limit)
        return [
            {
                "created_at": event.created_at.isoformat(),
                "event": event.event,
                "actor": event.actor,
                "details": event.details,
            }
            for event in found
        ]

    show_many(run(work), as_json=as_json, columns=("created_at", "event", "actor"), nothing="Nothing happened yet.")


def ask_approval(
    client_id: AppId,
    text: Annotated[str, typer.Option(help="What the app does, and for whom.")],
    as_json: AsJson = False,
) -> None:
    """Ask for an app's approval, as its developers do."""

    def change(unit: Unit, client: Client, _: Tools) -> None:
        request_approval(unit, client, text=text, asked_by=ACTOR)

    change_app(client_id, change, as_json=as_json)


def _draw(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        fail(f"{path}: cannot be read: {error.strerror}.")
    try:
        return asyncio.run(LogoPainter().draw(content))
    except BadPicture as bad:
        fail(f"{path}: {_FAULTS[bad.fault]}.")
