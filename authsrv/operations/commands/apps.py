"""`authsrv apps`: third-party apps and services."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from authsrv.identity.emails import normal_email
from authsrv.oauth.client_secrets import rotate_secret
from authsrv.oauth.clients import METHOD_OF_TYPE
from authsrv.oauth.registration import (
    NewClient,
    add_secret,
    approve_client,
    create_client,
    has_secret_method,
    new_client_id,
    resume_client,
    suspend_client,
)
from authsrv.operations.commands import app_changes, app_requests, app_secrets, app_team
from authsrv.operations.commands.app_rows import ONCE, AppId, change_app, described, read_jwks
from authsrv.operations.commands.running import ACTOR, AsJson, Tools, run, show_many, show_one
from authsrv.storage.clients import Client, list_clients
from authsrv.storage.unit import Unit

commands = typer.Typer(help="Apps and services.", no_args_is_help=True)
commands.command("update")(app_changes.update)
commands.command("delete")(app_changes.delete)
commands.command("events")(app_changes.events)
commands.command("ask-approval")(app_changes.ask_approval)
commands.command("requests")(app_requests.requests)
commands.command("accept")(app_requests.accept)
commands.command("refuse")(app_requests.refuse)
commands.command("withdraw")(app_requests.withdraw)
commands.add_typer(app_secrets.commands, name="secrets")
commands.add_typer(app_team.commands, name="team")

AuthMethod = Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
Algorithm = Literal["ES256", "RS256", "EdDSA"]
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
    auth_method: Annotated[AuthMethod | None, typer.Option(help="The one way it authenticates.")] = None,
    jwks: Annotated[Path | None, typer.Option(help="File with its public keys, for private_key_jwt.")] = None,
    jwks_uri: Annotated[str | None, typer.Option(help="Where it publishes them instead.")] = None,
    grant: Annotated[list[str] | None, typer.Option(help="Grant types; those of the type when left out.")] = None,
    pkce: Annotated[Literal["required", "optional"], typer.Option(help="Whether it must send PKCE.")] = "required",
    token_format: Annotated[Literal["jwt", "opaque"], typer.Option(help="Of its access tokens.")] = "jwt",
    signing_alg: Annotated[Algorithm, typer.Option(help="For access tokens.")] = "ES256",
    id_token_alg: Annotated[Algorithm, typer.Option(help="For ID tokens.")] = "RS256",
    resource_server: Annotated[bool, typer.Option("--resource-server", help="May introspect every token.")] = False,
    approved: Annotated[bool, typer.Option("--approved", help="Approve it at once.")] = False,
    access_ttl: Seconds = None,
    refresh_ttl: Seconds = None,
    grant_ttl: Seconds = None,
    code_ttl: Seconds = None,
    refresh_rotation: Annotated[Switch, typer.Option(help="off: confidential clients only.")] = Switch.ON,
    token_limit: Annotated[str | None, typer.Option(metavar="RATE", help="As in 600/minute; or off.")] = None,
    api_limit: Annotated[str | None, typer.Option(metavar="RATE", help="As in 600/minute; or off.")] = None,
    subject_type: Annotated[
        Literal["public", "pairwise"], typer.Option(help="Whether apps can compare people.")
    ] = "public",
    userinfo_alg: Annotated[Algorithm | None, typer.Option(help="Sign userinfo answers with it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Register an app; its secret is shown here and never again."""
    public_keys = read_jwks(jwks)

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
        return described(unit, client, secret)

    shown = run(work)
    show_one(shown, as_json=as_json, note=ONCE if "client_secret" in shown else "")


@commands.command("list")
def list_all(as_json: AsJson = False) -> None:
    """All apps, newest first."""
    rows = run(lambda unit, _: [described(unit, client) for client in list_clients(unit)])
    columns = ("client_id", "name", "type", "status", "store", "developer")
    show_many(rows, as_json=as_json, columns=columns, nothing="No apps yet. Make one with: authsrv apps create")


@commands.command("show")
def show(client_id: AppId, as_json: AsJson = False) -> None:
    """One app."""
    change_app(client_id, lambda unit, client, tools: None, as_json=as_json)


@commands.command("approve")
def approve(client_id: AppId, as_json: AsJson = False) -> None:
    """Approve an app: no cap on its stores."""
    change_app(client_id, lambda unit, client, tools: approve_client(unit, client, actor=ACTOR), as_json=as_json)


@commands.command("suspend")
def suspend(client_id: AppId, as_json: AsJson = False) -> None:
    """Suspend an app: every live token of it dies at once."""
    change_app(client_id, lambda unit, client, tools: suspend_client(unit, client, actor=ACTOR), as_json=as_json)


@commands.command("resume")
def resume(client_id: AppId, as_json: AsJson = False) -> None:
    """Let a suspended app go on, with new tokens."""
    change_app(client_id, lambda unit, client, tools: resume_client(unit, client, actor=ACTOR), as_json=as_json)


@commands.command("rotate-secret")
def rotate(
    client_id: AppId,
    revoke_old: Annotated[bool, typer.Option("--revoke-old", help="End the old secrets now, not in 24 hours.")] = False,
    as_json: AsJson = False,
) -> None:
    """A new secret, shown once; it works at once, the old one for 24 hours more."""

    def change(unit: Unit, client: Client, tools: Tools) -> str:
        return rotate_secret(unit, client, tools.entropy, revoke_old=revoke_old, actor=ACTOR)

    change_app(client_id, change, as_json=as_json, note=ONCE)
