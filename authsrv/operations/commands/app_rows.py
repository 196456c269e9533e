"""What the commands on apps share: finding the app, changing it in one transaction, and how it is shown."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from authsrv.kit.errors import DomainError
from authsrv.oauth.registration import status_of
from authsrv.operations.commands.running import Tools, fail, run, show_one
from authsrv.storage.clients import MADE, Client, find_client
from authsrv.storage.stores import find_store_by_id
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_user_by_id

ONCE = "Keep the client_secret now: it is not stored and will not be shown again."
AppId = Annotated[str, typer.Argument(metavar="ID", help="The client_id.")]


def change_app(
    client_id: str, change: Callable[[Unit, Client, Tools], str | None], *, as_json: bool, note: str = ""
) -> None:
    """Changes the app, and shows it with what `change` returned as its new secret."""

    def work(unit: Unit, tools: Tools) -> dict[str, Any]:
        client = get_app(unit, client_id)
        secret = change(unit, client, tools)
        return described(unit, client, secret)

    show_one(run(work), as_json=as_json, note=note)


def get_app(unit: Unit, client_id: str) -> Client:
    """Raises not_found."""
    client = find_client(unit, client_id)
    if client is None:
        raise DomainError("not_found", 404, f"There is no app {client_id}.")
    return client


def described(unit: Unit, client: Client, secret: str | None = None) -> dict[str, Any]:
    """An app as the command line shows it."""
    store = find_store_by_id(unit, client.store_id) if client.store_id else None
    developer = find_user_by_id(unit, client.developer_id) if client.origin == MADE else None
    return {
        "client_id": client.client_id,
        **({"client_secret": secret} if secret else {}),
        "name": client.name,
        "type": client.type,
        "status": status_of(client),
        "origin": client.origin,
        "developer": developer.email if developer else None,
        "store": store.prefix if store else None,
        "scope": client.scope,
        "grant_types": client.grant_types,
        "redirect_uris": client.redirect_uris,
        "post_logout_redirect_uris": client.post_logout_redirect_uris,
        "backchannel_logout_uri": client.backchannel_logout_uri,
        "jwks_uri": client.jwks_uri,
        "home_page": client.client_uri,
        "privacy": client.policy_uri,
        "terms": client.tos_uri,
        "logo": client.logo_uri,
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


def read_jwks(path: Path | None) -> dict[str, Any] | None:
    """The key set in a file; ends the command when it holds none."""
    if path is None:
        return None
    try:
        document = orjson.loads(path.read_bytes())
    except OSError as error:
        fail(f"{path}: cannot be read: {error.strerror}.")
    except orjson.JSONDecodeError:
        fail(f"{path}: is not JSON.")
    return document if isinstance(document, dict) else fail(f"{path}: is not a JWK Set (RFC 7517).")
