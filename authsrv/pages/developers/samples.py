"""Samples filled with an app's own values, to be pasted as they are: a shell's, Python's and JavaScript's spelling."""

import json
import shlex
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlencode

from authsrv.storage.clients import Client
from authsrv.web.runtime import Runtime
from authsrv.web.texts import DEFAULT

# Stands where the secret is not known any more.
SECRET_GOES_HERE = "YOUR_CLIENT_SECRET"
_LANGUAGES = ("curl", "python", "javascript")


@dataclass(frozen=True, slots=True)
class Samples:
    """`authorize_url` begins a sign-in whose code the curl sample redeems; None for a service."""

    authorize_url: str | None
    texts: dict[str, str]


def samples_for(runtime: Runtime, client: Client, secret: str | None) -> Samples:
    """All samples of an app; `secret` is None for one whose secret was shown before."""
    settings = runtime.settings
    is_service = client.type == "service"
    scopes = client.scope.split()
    verifier = urlsafe_b64encode(runtime.entropy.token_bytes(32)).rstrip(b"=").decode()
    redirect_uri = client.redirect_uris[0] if client.redirect_uris else ""
    authorize_url = settings.issuer + runtime.metadata_paths["authorization_endpoint"]
    words = {
        "issuer": settings.issuer,
        "authorize_url": authorize_url,
        "token_url": settings.issuer + runtime.metadata_paths["token_endpoint"],
        "userinfo_url": settings.issuer + runtime.metadata_paths["userinfo_endpoint"],
        "client_id": client.client_id,
        "secret": None if client.token_endpoint_auth_method == "none" else secret or SECRET_GOES_HERE,
        "scope": client.scope,
        "redirect_uri": redirect_uri,
        "verifier": verifier,
        "has_identity": "openid" in scopes,
        "reads_orders": "orders:read" in scopes,
        "is_plain": settings.issuer.startswith("http:"),
        "sh": shlex.quote,
        # JSON's strings are Python's and JavaScript's too.
        "q": json.dumps,
    }
    kind = "service" if is_service else "person"
    language = runtime.stationery.texts.of(DEFAULT)
    texts = {
        name: runtime.stationery.fill(f"developers/samples/{kind}_{name}.txt", language, **words) for name in _LANGUAGES
    }
    return Samples(None if is_service else _begin(authorize_url, client, redirect_uri, verifier), texts)


def _begin(authorize_url: str, client: Client, redirect_uri: str, verifier: str) -> str:
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": redirect_uri,
        "scope": client.scope,
        "state": "state-of-your-own",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return f"{authorize_url}?{urlencode(query)}"
