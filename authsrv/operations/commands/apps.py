"""`authsrv apps`: third-party apps and services."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from authsrv.identity.emails import normal_email
from authsrv.kit.errors import DomainError
from authsrv.oauth.clients import METHOD_OF_TYPE
from authsrv.oauth.registration import (
    NewClient,
    add_secret,
    approve_client,
    create_client,
    has_secret_method,
    new_client_id,
    resume_client,
    rotate_secret,
    status_of,
    suspend_client,
)
from authsrv.operations.commands.running import ACTOR, AsJson, Tools, fail, run, show_many, show_one
from authsrv.storage.clients import Client, find_client, list_clients
from authsrv.storage.stores import find_store_by_id
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_user_by_id

commands = typer.Typer(help="Apps and services.", no_args_is_help=True)

_ONCE = "Keep the client_secret now: it is not stored and will not be shown again."
AppId = Annotated[str, typer.Argument(metavar="ID", help="The client_id.")]
Seconds = Annotated[int | None, typer.Option(metavar="S", help="Seconds; the server's own when left out.")]


class AppType(StrEnum):
    """What kind of app it is; it decides grants and authentication where they are not named."""

    WEB = "web"
    SPA = "spa"
    NATIVE = "native"
    SERVICE = "service"


class Switch(StrEnum):
    ON = "on"
    OFF = "off"


@commands.callback()
def group() -> None:
    """Apps and services."""


@commands.command("create")
def create(
    name: str,
    developer: Annotated[str, typer.Option(help="The developer's e-mail address; made if unknown.")],
    app_type: Annotated[AppType, typer.Option("--type", help="What kind of app it is.")],
    redirect_uri: Annotated[list[str] | None, typer.Option(help="Where people come back to; may repeat.")] = None,
    post_logout_redirect_uri: Annotated[
        list[str] | None, typer.Option(help="Where people go after signing out.")
    ] = None,
    backchannel_logout_uri: Annotated[str | None, typer.Option(help="Told when a person signs out.")] = None,
    scope: Annotated[str | None, typer.Option(help='What it may ask for, as in "orders:read orders:write".')] = None,
    store: Annotated[str | None, typer.Option(help="Prefix of the one store it works for.")] = None,
    auth_method: Annotated[str | None, typer.Option(help="The one way it authenticates.")] = None,
    jwks: Annotated[Path | None, typer.Option(help="File with its public keys, for private_key_jwt.")] = None,
    jwks_uri: Annotated[str | None, typer.Option(help="Where it publishes them instead.")] = None,
    grant: Annotated[list[str] | None, typer.Option(help="Grant types; those of the type when left out.")] = None,
    pkce: Annotated[str, typer.Option(help="required or optional.")] = "required",
    token_format: Annotated[str, typer.Option(help="jwt or opaque.")] = "jwt",
    signing_alg: Annotated[str, typer.Option(help="ES256, RS256 or EdDSA, for access tokens.")] = "ES256",
    id_token_alg: Annotated[str, typer.Option(help="RS256, ES256 or EdDSA, for ID tokens.")] = "RS256",
    resource_server: Annotated[bool, typer.Option("--resource-server", help="May introspect every token.")] = False,
    approved: Annotated[bool, typer.Option("--approved", help="Approve it at once.")] = False,
    access_ttl: Seconds = None,
    refresh_ttl: Seconds = None,
    grant_ttl: Seconds = None,
    code_ttl: Seconds = None,
    refresh_rotation: Annotated[Switch, typer.Option(help="off: confidential clients only.")] = Switch.ON,
    token_limit: Annotated[str | None, typer.Option(metavar="RATE", help="As in 600/minute; or off.")] = None,
    api_limit: Annotated[str | None, typer.Option(metavar="RATE", help="As in 600/minute; or off.")] = None,
    subject_type: Annotated[str, typer.Option(help="public or pairwise: whether apps can compare people.")] = "public",
    userinfo_alg: Annotated[str | None, typer.Option(help="Sign userinfo answers with it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Register an app; its secret is shown here and never again."""
    public_keys = _read_jwks(jwks)

    def work(unit: Unit, tools: Tools) -> dict[str, Any]:
        new = NewClient(
            name=name,
            developer=normal_email(developer),
            type=app_type.value,
            scope=scope,
            store=store,
            redirect_uris=redirect_uri or [],
            post_logout_redirect_uris=post_logout_redirect_uri or [],
            backchannel_logout_uri=backchannel_logout_uri,
            auth_method=auth_method or METHOD_OF_TYPE[app_type.value],
            jwks=public_keys,
            jwks_uri=jwks_uri,
            grant_types=grant or [],
            pkce=pkce,
            token_format=token_format,
            signing_alg=signing_alg,
            id_token_alg=id_token_alg,
            is_resource_server=resource_server,
            is_approved=approved,
            access_seconds=access_ttl,
            refresh_idle_seconds=refresh_ttl,
            grant_seconds=grant_ttl,
            code_seconds=code_ttl,
            rotates_refresh_tokens=refresh_rotation is Switch.ON,
            subject_type=subject_type,
            userinfo_alg=userinfo_alg,
            token_limit=token_limit,
            api_limit=api_limit,
        )
        client_id = new_client_id(tools.entropy)
        client = create_client(unit, new, client_id=client_id, actor=ACTOR, scopes=tools.scopes)
        secret = (
            add_secret(unit, client, tools.entropy) if has_secret_method(client.token_endpoint_auth_method) else None
        )
        return _described(unit, client, secret)

    shown = run(work)
    show_one(shown, as_json=as_json, note=_ONCE if "client_secret" in shown else "")


@commands.command("list")
def list_all(as_json: AsJson = False) -> None:
    """All apps, newest first."""
    rows = run(lambda unit, _: [_described(unit, client) for client in list_clients(unit)])
    columns = ("client_id", "name", "type", "status", "store", "developer")
    show_many(rows, as_json=as_json, columns=columns, nothing="No apps yet. Make one with: authsrv apps create")


@commands.command("show")
def show(client_id: AppId, as_json: AsJson = False) -> None:
    """One app."""
    _change(client_id, lambda unit, client, tools: None, as_json=as_json)


@commands.command("approve")
def approve(client_id: AppId, as_json: AsJson = False) -> None:
    """Approve an app: no cap on its stores."""
    _change(client_id, lambda unit, client, tools: approve_client(unit, client, actor=ACTOR), as_json=as_json)


@commands.command("suspend")
def suspend(client_id: AppId, as_json: AsJson = False) -> None:
    """Suspend an app: every live token of it dies at once."""
    _change(client_id, lambda unit, client, tools: suspend_client(unit, client, actor=ACTOR), as_json=as_json)


@commands.command("resume")
def resume(client_id: AppId, as_json: AsJson = False) -> None:
    """Let a suspended app go on, with new tokens."""
    _change(client_id, lambda unit, client, tools: resume_client(unit, client, actor=ACTOR), as_json=as_json)


@commands.command("rotate-secret")
def rotate(
    client_id: AppId,
    revoke_old: Annotated[bool, typer.Option("--revoke-old", help="End the old secrets now, not in 24 hours.")] = False,
    as_json: AsJson = False,
) -> None:
    """A new secret, shown once; it works at once, the old one for 24 hours more."""

    def change(unit: Unit, client: Client, tools: Tools) -> str:
        return rotate_secret(unit, client, tools.entropy, revoke_old=revoke_old, actor=ACTOR)

    _change(client_id, change, as_json=as_json, note=_ONCE)


def _change(
    client_id: str, change: Callable[[Unit, Client, Tools], str | None], *, as_json: bool, note: str = ""
) -> None:
    def work(unit: Unit, tools: Tools) -> dict[str, Any]:
        client = find_client(unit, client_id)
        if client is None or client.user_id is not None:
            raise DomainError("not_found", 404, f"There is no app {client_id}.")
        secret = change(unit, client, tools)
        return _described(unit, client, secret)

    show_one(run(work), as_json=as_json, note=note)


def _described(unit: Unit, client: Client, secret: str | None = None) -> dict[str, Any]:
    """An app as the command line shows it."""
    store = find_store_by_id(unit, client.store_id) if client.store_id else None
    developer = find_user_by_id(unit, client.developer_id)
    return {
        "client_id": client.client_id,
        **({"client_secret": secret} if secret else {}),
        "name": client.name,
        "type": client.type,
        "status": status_of(client),
        "developer": developer.email if developer else None,
        "store": store.prefix if store else None,
        "scope": client.scope,
        "grant_types": client.grant_types,
        "redirect_uris": client.redirect_uris,
        "post_logout_redirect_uris": client.post_logout_redirect_uris,
        "backchannel_logout_uri": client.backchannel_logout_uri,
        "jwks_uri": client.jwks_uri,
        "token_endpoint_auth_method": client.token_endpoint_auth_method or "client_secret_basic or client_secret_post",
        "pkce": client.pkce,
        "token_format": client.token_format,
        "signing_alg": client.signing_alg,
        "id_token_alg": client.id_token_alg,
        "resource_server": client.is_resource_server,
        "subject_type": client.subject_type,
        "userinfo_alg": client.userinfo_alg,
        "access_ttl": client.access_seconds,
        "refresh_ttl": client.refresh_idle_seconds,
        "grant_ttl": client.grant_seconds,
        "code_ttl": client.code_seconds,
        "refresh_rotation": "on" if client.rotates_refresh_tokens else "off",
        "token_limit": client.token_limit,
        "api_limit": client.api_limit,
        "created_at": client.created_at.isoformat(),
    }


def _read_jwks(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    try:
        document = orjson.loads(path.read_bytes())
    except OSError as error:
        fail(f"{path}: cannot be read: {error.strerror}.")
    except orjson.JSONDecodeError:
        fail(f"{path}: is not JSON.")
    return document if isinstance(document, dict) else fail(f"{path}: is not a JWK Set (RFC 7517).")
