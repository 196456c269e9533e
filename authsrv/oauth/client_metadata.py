"""Client metadata as clients write it, and as this server words it back (RFC 7591, 2; OIDC Registration 1.0, 2).

Lenient about what is left out or unknown here, strict about what would be unsafe: that is judged where every client is.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import orjson

from authsrv.kit.errors import DomainError
from authsrv.oauth.clients import SECRET_METHODS
from authsrv.oauth.registration import ALL_GRANTS, NewClient, refused
from authsrv.oauth.scopes import ScopeCatalogue, split_scope
from authsrv.settings import is_loopback_host
from authsrv.storage.clients import MADE, Client

_LONGEST_TEXT = 2000
_LONGEST_NAME = 200
_MOST_ENTRIES = 50
_LONGEST_KEY_SET = 16_384
_APPLICATION_TYPES = ("web", "native")
# Ours of the registration → the standards' in the metadata.
_TEXTS = {
    "backchannel_logout_uri": "backchannel_logout_uri",
    "jwks_uri": "jwks_uri",
    "client_uri": "client_uri",
    "policy_uri": "policy_uri",
    "tos_uri": "tos_uri",
    "userinfo_alg": "userinfo_signed_response_alg",
}


def read_metadata(
    metadata: Mapping[str, Any], scopes: ScopeCatalogue, *, origin: str = MADE, method: str | None = None
) -> NewClient:
    """The client that is wanted, still to be judged; `method` is how it authenticates where it does not say.

    None is a secret, sent in either way: RFC 7591 says in the header then, and libraries send it in the body.

    Raises DomainError `invalid_client_metadata` or `invalid_redirect_uri` for what is none.
    """
    redirect_uris = _entries(metadata, "redirect_uris")
    method = _text(metadata, "token_endpoint_auth_method") or method
    grant_types = _grant_types(metadata)
    kind = _type_of(metadata, grant_types, method, redirect_uris)
    texts: dict[str, Any] = {ours: _text(metadata, theirs) for ours, theirs in _TEXTS.items()}
    return NewClient(
        name=_name(metadata, redirect_uris),
        developer="",
        type=kind,
        origin=origin,
        scope=_scope(metadata, scopes, kind),
        redirect_uris=redirect_uris,
        post_logout_redirect_uris=_entries(metadata, "post_logout_redirect_uris"),
        # A native app that does not say so is not taken for a public one.
        auth_method=method or (SECRET_METHODS[0] if kind == "native" else None),
        jwks=_key_set(metadata),
        grant_types=grant_types,
        id_token_alg=_text(metadata, "id_token_signed_response_alg") or "RS256",
        subject_type=_text(metadata, "subject_type") or "public",
        **texts,
    )


def word_metadata(client: Client) -> dict[str, Any]:
    """All that is registered of the client (RFC 7591, 3.2.1)."""
    words = {
        "client_name": client.name,
        "application_type": "native" if client.type == "native" else "web",
        "redirect_uris": client.redirect_uris,
        "post_logout_redirect_uris": client.post_logout_redirect_uris,
        "grant_types": client.grant_types,
        "response_types": ["code"] if "authorization_code" in client.grant_types else [],
        "token_endpoint_auth_method": client.token_endpoint_auth_method or SECRET_METHODS[0],
        "scope": client.scope,
        "jwks": client.jwks,
        "id_token_signed_response_alg": client.id_token_alg,
        "subject_type": client.subject_type,
        **{theirs: getattr(client, ours) for ours, theirs in _TEXTS.items()},
    }
    return {name: value for name, value in words.items() if value not in (None, []) or name == "response_types"}


def fingerprint_of(new: NewClient, by: str) -> bytes:
    """Two requests with the same one ask for the same client on the same party's word."""
    asked = {name: getattr(new, name) for name in NewClient.__dataclass_fields__}
    return sha256(orjson.dumps([asked, by], option=orjson.OPT_SORT_KEYS)).digest()


def _name(metadata: Mapping[str, Any], redirect_uris: Sequence[str]) -> str:
    name = " ".join((_text(metadata, "client_name") or "").split())
    if not name.isprintable():
        raise refused("client_name", "has characters a name cannot have")
    if len(name) > _LONGEST_NAME:
        raise refused("client_name", f"must have at most {_LONGEST_NAME} characters")
    if name:
        return name
    # Whoever gives no name goes by where they are.
    places = (_host(uri) for uri in (_text(metadata, "client_uri") or "", *redirect_uris))
    return next(filter(None, places), "App without a name")[:_LONGEST_NAME]


def _grant_types(metadata: Mapping[str, Any]) -> list[str]:
    asked = _entries(metadata, "grant_types") or ["authorization_code"]
    # Those there are: clients list what they can do, wherever they register.
    grant_types = [grant_type for grant_type in asked if grant_type in ALL_GRANTS]
    if not {"authorization_code", "client_credentials"} & set(grant_types):
        raise refused("grant_types", "must name authorization_code or client_credentials")
    response_types = _entries(metadata, "response_types")
    if "authorization_code" in grant_types and response_types and "code" not in response_types:
        # RFC 7591, 2.1
        raise refused("response_types", "must name code, as grant_types name authorization_code")
    return grant_types


def _type_of(metadata: Mapping[str, Any], grant_types: Sequence[str], method: str | None, uris: Sequence[str]) -> str:
    if "authorization_code" not in grant_types:
        return "service"
    application_type = _text(metadata, "application_type")
    if application_type not in {None, *_APPLICATION_TYPES}:
        raise refused("application_type", f"must be one of {', '.join(_APPLICATION_TYPES)}")
    # Who does not say so, and comes back to the person's own machine, runs there.
    is_native = application_type == "native" or (
        application_type is None and method == "none" and bool(uris) and all(map(_is_on_own_machine, uris))
    )
    if is_native:
        return "native"
    return "spa" if method == "none" else "web"


def _scope(metadata: Mapping[str, Any], scopes: ScopeCatalogue, kind: str) -> str:
    asked = split_scope(_text(metadata, "scope"))
    if not asked:
        # What it may ask for, not what it gets: people decide that, each for themselves.
        return scopes.defaults(kind) if kind == "service" else " ".join(scopes.for_people(scopes.names))
    unknown = set(scopes.unknown(asked))
    known = [name for name in asked if name not in unknown]
    if not known:
        raise refused("scope", f"there is no scope {asked[0][:100]}")
    return " ".join(known)


def _key_set(metadata: Mapping[str, Any]) -> dict[str, Any] | None:
    jwks = metadata.get("jwks")
    if jwks is None:
        return None
    try:
        is_one = isinstance(jwks, dict) and len(orjson.dumps(jwks)) <= _LONGEST_KEY_SET
    except orjson.JSONEncodeError:
        is_one = False  # nested deeper than any key is
    if not is_one:
        raise refused("jwks", f"must be a JWK Set of at most {_LONGEST_KEY_SET} bytes")
    return dict(jwks)


def _text(metadata: Mapping[str, Any], name: str) -> str | None:
    """A text; null and empty count as left out (RFC 7591, 2)."""
    value = metadata.get(name)
    if value in (None, ""):
        return None
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT or "\0" in value:
        raise refused(name, f"must be a text of at most {_LONGEST_TEXT} characters")
    return value


def _entries(metadata: Mapping[str, Any], name: str) -> list[str]:
    """A list of texts, each once."""
    values = metadata.get(name)
    if values is None:
        return []
    if not isinstance(values, list) or len(values) > _MOST_ENTRIES or not all(isinstance(one, str) for one in values):
        fault = f"{name}: must be a list of at most {_MOST_ENTRIES} texts"
        code = "invalid_redirect_uri" if name == "redirect_uris" else "invalid_client_metadata"
        raise DomainError(code, 400, fault)
    return list(dict.fromkeys(values))


def _host(uri: str) -> str:
    try:
        return urlsplit(uri).hostname or ""
    except ValueError:
        return ""


def _is_on_own_machine(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return parts.scheme not in {"https", "http"} or (parts.scheme == "http" and is_loopback_host(parts.hostname or ""))
