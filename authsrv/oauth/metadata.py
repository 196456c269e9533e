"""Discovery computed from what is registered, so that it cannot lie (RFC 8414, OIDC Discovery 1.0, RFC 9728)."""

from typing import Any

from authsrv.kit.public_keys import ALGORITHMS
from authsrv.oauth.authorization import PROMPTS, RESPONSE_MODES
from authsrv.oauth.client_authentication import METHODS
from authsrv.oauth.id_tokens import ACR, CLAIMS
from authsrv.oauth.introspection import Introspection
from authsrv.oauth.keyring import Keyring
from authsrv.oauth.revocation import Revocation
from authsrv.oauth.server import ProtocolServer


def server_metadata(server: ProtocolServer, paths: dict[str, str], *, takes_documents: bool) -> dict[str, Any]:
    """RFC 8414, 2. `paths` maps metadata names (`token_endpoint`, `jwks_uri` …) to the paths that are open.

    `takes_documents`: whether a client_id may be the URL of a document that describes the client.
    """
    document: dict[str, Any] = {
        "issuer": server.issuer,
        **{name: server.issuer + path for name, path in paths.items()},
        "scopes_supported": server.scopes.names,
        "response_types_supported": ["code"],
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": server.grant_types,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "token_endpoint_auth_methods_supported": list(METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "request_uri_parameter_supported": False,
        # draft-ietf-oauth-client-id-metadata-document-02, 6
        "client_id_metadata_document_supported": takes_documents,
    }
    for name, endpoint in (("introspection", Introspection), ("revocation", Revocation)):
        if f"{name}_endpoint" in paths:
            document[f"{name}_endpoint_auth_methods_supported"] = list(endpoint.CLIENT_AUTH_METHODS)
            document[f"{name}_endpoint_auth_signing_alg_values_supported"] = list(ALGORITHMS)
    return document


def openid_metadata(
    server: ProtocolServer, keyring: Keyring, paths: dict[str, str], locales: list[str], *, takes_documents: bool
) -> dict[str, Any]:
    """OpenID Connect Discovery 1.0, 3: the same facts and those of ID tokens."""
    return {
        **server_metadata(server, paths, takes_documents=takes_documents),
        "subject_types_supported": ["public", "pairwise"],
        "claims_supported": list(CLAIMS),
        "claims_parameter_supported": True,
        "request_parameter_supported": False,
        "acr_values_supported": [ACR],
        "prompt_values_supported": list(PROMPTS),
        "ui_locales_supported": locales,
        "userinfo_signing_alg_values_supported": keyring.algorithms,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "id_token_signing_alg_values_supported": sorted(keyring.algorithms, key=lambda name: name != "RS256"),
    }


def resource_metadata(server: ProtocolServer, path: str) -> dict[str, Any]:
    """RFC 9728, 2, for the API at this path below the issuer; an empty path is the server as a whole."""
    return {
        "resource": server.issuer + path,
        "authorization_servers": [server.issuer],
        "scopes_supported": server.scopes.of_resource(path) if path else server.scopes.names,
        "bearer_methods_supported": ["header"],
        "resource_name": "Order API" if path == "/orders" else "authsrv",
    }
