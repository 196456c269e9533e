"""Changing a client: judged by the rules of its registration; what people know an approved app by waits for approval.

RFC 7591, 2 says what the fields mean.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authsrv.kit.errors import DomainError
from authsrv.oauth.approvals import apply_identity, request_change, withdraw_request
from authsrv.oauth.clients import GRANTS_OF_TYPE
from authsrv.oauth.registration import NewClient, has_secret_method, judge_client
from authsrv.oauth.scopes import ScopeCatalogue, split_scope
from authsrv.storage.approvals import CHANGE
from authsrv.storage.audit import add_audit_event
from authsrv.storage.clients import Client, expire_secrets, hold_client, save_client
from authsrv.storage.unit import Unit

# By these people know the app: another value is, to them, another app.
IDENTITY = ("name", "redirect_uris")
_FIELDS = (
    *IDENTITY,
    "scope",
    "post_logout_redirect_uris",
    "backchannel_logout_uri",
    "client_uri",
    "policy_uri",
    "tos_uri",
)


@dataclass(frozen=True, slots=True)
class Changed:
    """Which fields wait for the operator; the others took effect at once."""

    waiting: tuple[str, ...]


def change_client(
    unit: Unit, client: Client, wanted: Mapping[str, Any], *, actor: str, scopes: ScopeCatalogue, is_operator: bool
) -> Changed:
    """Gives the client these values; what is not named stays. An operator's word needs no approval.

    Raises DomainError as `create_client` does.
    """
    if unknown := set(wanted) - set(_FIELDS):
        raise DomainError("invalid_client_metadata", 400, f"{min(unknown)}: cannot be changed")
    # It may be approved at this very moment, as what it was.
    hold_client(unit, client)
    _judge(client, wanted, scopes)
    changed = {name: value for name, value in wanted.items() if getattr(client, name) != value}
    identity = {name: changed.pop(name) for name in IDENTITY if name in changed}
    if changed:
        for name, value in changed.items():
            setattr(client, name, value)
        save_client(unit, client)
        add_audit_event(unit, "client.changed", actor=actor, subject=client.client_id, fields=" ".join(sorted(changed)))
    if client.approved_at is None or is_operator:
        apply_identity(unit, client, identity, actor=actor)
        return Changed(())
    if identity:
        request_change(unit, client, wanted=identity, asked_by=actor)
    elif set(IDENTITY) <= set(wanted):
        # Everything is to stay as it is: nothing is asked for any more.
        withdraw_request(unit, client, CHANGE, actor=actor)
    return Changed(tuple(identity))


def change_keys(
    unit: Unit, client: Client, *, jwks: dict[str, Any] | None, jwks_uri: str | None, actor: str, scopes: ScopeCatalogue
) -> None:
    """Makes the client authenticate by keys of its own (private_key_jwt); its secrets, of no more use, end.

    Raises DomainError for a set that is none, or that holds a private key.
    """
    method = "private_key_jwt"
    _judge(client, {}, scopes, auth_method=method, jwks=jwks, jwks_uri=jwks_uri)
    client.token_endpoint_auth_method, client.jwks, client.jwks_uri = method, jwks, jwks_uri
    save_client(unit, client)
    expire_secrets(unit, client, unit.now())
    add_audit_event(unit, "client.keys_changed", actor=actor, subject=client.client_id)


def change_to_secrets(unit: Unit, client: Client, *, actor: str) -> None:
    """Back from keys to secrets. Raises for a client that can keep none."""
    if client.token_endpoint_auth_method == "none":
        raise DomainError("invalid_client_metadata", 400, "auth_method: a public client has no secret")
    if has_secret_method(client.token_endpoint_auth_method):
        return
    client.token_endpoint_auth_method, client.jwks, client.jwks_uri = None, None, None
    save_client(unit, client)
    add_audit_event(unit, "client.keys_removed", actor=actor, subject=client.client_id)


def _judge(client: Client, wanted: Mapping[str, Any], scopes: ScopeCatalogue, **keys: Any) -> None:
    """The rules of registration, on the client as it would be."""
    own = {
        "auth_method": client.token_endpoint_auth_method,
        "jwks": client.jwks,
        "jwks_uri": client.jwks_uri,
        "pkce": client.pkce,
        "token_format": client.token_format,
        "subject_type": client.subject_type,
        "rotates_refresh_tokens": client.rotates_refresh_tokens,
        **keys,
    }
    values = {name: wanted.get(name, getattr(client, name)) for name in _FIELDS}
    values["scope"] = " ".join(split_scope(values["scope"]))
    judged = NewClient(developer="", type=client.type, **values, **own)
    judge_client(judged, client.grant_types or GRANTS_OF_TYPE[client.type], judged.auth_method, scopes)
