"""Authlib's clients: the session on requests, the asynchronous one on httpx, and the one for Starlette apps."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.integrations.requests_client import OAuth2Session
from authlib.integrations.starlette_client import OAuth
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, KeySetSerialization
from starlette.requests import Request

from tests.clients.customer import Customer
from tests.clients.shop import AFTER_LOGOUT, CALLBACK, SCOPE, Registered, Shop

UNAUTHORIZED = 401


def test_the_session_completes_every_step(shop: Shop, web_app: Registered, customer: Customer) -> None:
    endpoints = shop.endpoints
    session = OAuth2Session(
        web_app.client_id, web_app.client_secret, scope=SCOPE, redirect_uri=CALLBACK, code_challenge_method="S256"
    )
    with session:
        verifier, nonce = generate_token(48), generate_token()
        url, _ = session.create_authorization_url(
            endpoints["authorization_endpoint"], code_verifier=verifier, nonce=nonce
        )
        first = session.fetch_token(
            endpoints["token_endpoint"], authorization_response=customer.go(url), code_verifier=verifier
        )
        claims = _verified(first, shop, web_app, session.get(endpoints["jwks_uri"], withhold_token=True).json(), nonce)
        assert claims["email"] == customer.email

        second = session.refresh_token(endpoints["token_endpoint"])
        assert second["refresh_token"] != first["refresh_token"]
        assert session.get(endpoints["userinfo_endpoint"]).json()["sub"] == claims["sub"]

        revoked = session.revoke_token(
            endpoints["revocation_endpoint"], second["refresh_token"], token_type_hint="refresh_token"
        )
        assert revoked.ok
        assert session.get(endpoints["userinfo_endpoint"]).status_code == UNAUTHORIZED
        with pytest.raises(OAuthError, match="invalid_grant"):
            session.refresh_token(endpoints["token_endpoint"], refresh_token=second["refresh_token"])

    _log_out(shop, customer, second["id_token"])


async def test_the_asynchronous_client_completes_every_step(
    shop: Shop, web_app: Registered, customer: Customer
) -> None:
    endpoints = shop.endpoints
    client = AsyncOAuth2Client(
        web_app.client_id, web_app.client_secret, scope=SCOPE, redirect_uri=CALLBACK, code_challenge_method="S256"
    )
    async with client:
        verifier, nonce = generate_token(48), generate_token()
        url, _ = client.create_authorization_url(
            endpoints["authorization_endpoint"], code_verifier=verifier, nonce=nonce
        )
        first = await client.fetch_token(
            endpoints["token_endpoint"], authorization_response=customer.go(url), code_verifier=verifier
        )
        keys = (await client.request("GET", endpoints["jwks_uri"], withhold_token=True)).json()
        claims = _verified(first, shop, web_app, keys, nonce)

        # Authlib refreshes by itself once a token is over, before the request that needs it.
        client.metadata["token_endpoint"] = endpoints["token_endpoint"]
        client.token = {**first, "expires_at": 1}
        assert (await client.get(endpoints["userinfo_endpoint"])).json()["sub"] == claims["sub"]
        second = client.token
        assert second["refresh_token"] != first["refresh_token"]

        revoked = await client.revoke_token(
            endpoints["revocation_endpoint"], second["access_token"], token_type_hint="access_token"
        )
        assert revoked.status_code == httpx.codes.OK
        assert (await client.get(endpoints["userinfo_endpoint"])).status_code == UNAUTHORIZED

    _log_out(shop, customer, second["id_token"])


async def test_the_starlette_client_finds_everything_by_discovery(
    shop: Shop, web_app: Registered, customer: Customer
) -> None:
    app = OAuth().register(
        "shop",
        client_id=web_app.client_id,
        client_secret=web_app.client_secret,
        server_metadata_url=f"{shop.url}/.well-known/openid-configuration",
        client_kwargs={"scope": SCOPE, "code_challenge_method": "S256"},
    )
    session: dict[str, Any] = {}
    sent = await app.authorize_redirect(_request("", session), CALLBACK)
    # Checks the ID token by the published keys: signature, issuer, audience, nonce, times and at_hash.
    token = await app.authorize_access_token(_request(customer.go(sent.headers["location"]), session))
    assert token["userinfo"]["email"] == customer.email
    assert (await app.userinfo(token=token))["sub"] == token["userinfo"]["sub"]

    leaving = await app.logout_redirect(_request("", session), AFTER_LOGOUT, token["id_token"])
    arrived = customer.go(leaving.headers["location"])
    assert await app.validate_logout_response(_request(arrived, session)) == {"post_logout_redirect_uri": AFTER_LOGOUT}
    assert not customer.is_signed_in()


def test_a_service_gets_a_token_with_its_secret(shop: Shop, register: Callable[..., Registered]) -> None:
    service = register("Warehouse", "--type", "service", "--scope", "orders:read", "--store", "demo")
    with OAuth2Session(service.client_id, service.client_secret, scope="orders:read") as session:
        token = session.fetch_token(shop.endpoints["token_endpoint"], grant_type="client_credentials")
        assert token["scope"] == "orders:read"
        assert session.get(f"{shop.url}/orders?customer_id=1").json() == []


def test_a_service_gets_a_token_with_its_private_key(
    shop: Shop, register: Callable[..., Registered], jwks_file: Callable[[dict[str, Any]], Path]
) -> None:
    key = ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig"}, auto_kid=True)
    options = ("--auth-method", "private_key_jwt", "--jwks", str(jwks_file(key.as_dict(private=False))))
    service = register("Robot", "--type", "service", "--scope", "orders:read", "--store", "demo", *options)
    endpoint = shop.endpoints["token_endpoint"]
    with OAuth2Session(service.client_id, key, token_endpoint_auth_method="private_key_jwt") as session:
        session.register_client_auth_method(PrivateKeyJWT(endpoint, alg="ES256", headers={"kid": key.kid}))
        assert session.fetch_token(endpoint, grant_type="client_credentials")["token_type"] == "Bearer"


def _verified(
    token: dict[str, Any], shop: Shop, app: Registered, keys: KeySetSerialization, nonce: str
) -> dict[str, Any]:
    """The claims of the ID token, checked as Authlib's documentation shows it."""
    decoded = jwt.decode(token["id_token"], KeySet.import_key_set(keys), algorithms=["RS256"])
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        options={"iss": {"values": [shop.url]}},
        params={"nonce": nonce, "client_id": app.client_id, "access_token": token["access_token"]},
    )
    claims.validate()
    return dict(claims)


def _log_out(shop: Shop, customer: Customer, id_token: str) -> None:
    """These clients have no function for it: the app makes the link."""
    assert customer.is_signed_in()
    wanted = {"id_token_hint": id_token, "post_logout_redirect_uri": AFTER_LOGOUT, "state": "bye"}
    assert customer.go(f"{shop.endpoints['end_session_endpoint']}?{urlencode(wanted)}") == f"{AFTER_LOGOUT}?state=bye"
    assert not customer.is_signed_in()


def _request(url: str, session: dict[str, Any]) -> Request:
    """What arrives at the app's own server, with the session that its middleware keeps."""
    query = urlsplit(url).query.encode()
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": query, "session": session}
    return Request(scope)
