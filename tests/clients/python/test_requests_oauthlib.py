"""requests-oauthlib: the session that most older Python apps are written with."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, KeySetSerialization
from oauthlib.oauth2 import BackendApplicationClient, InvalidGrantError, WebApplicationClient
from requests_oauthlib import OAuth2Session

from tests.clients.customer import Customer
from tests.clients.shop import AFTER_LOGOUT, CALLBACK, SCOPE, Registered, Shop

UNAUTHORIZED = 401


@pytest.fixture(autouse=True)
def _plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library refuses http even for this machine, unless it is told."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


def test_the_session_completes_every_step(shop: Shop, web_app: Registered, customer: Customer) -> None:
    endpoints = shop.endpoints
    credentials, nonce = (web_app.client_id, web_app.client_secret), "a nonce"
    client = WebApplicationClient(web_app.client_id)
    with OAuth2Session(client=client, redirect_uri=CALLBACK, scope=SCOPE.split(), pkce="S256") as session:
        url, _ = session.authorization_url(endpoints["authorization_endpoint"], nonce=nonce)
        first: dict[str, Any] = session.fetch_token(
            endpoints["token_endpoint"],
            authorization_response=customer.go(url),
            client_secret=web_app.client_secret,
        )
        keys = session.request("GET", endpoints["jwks_uri"], withhold_token=True).json()
        claims = _verified(first["id_token"], keys, shop, web_app, nonce)
        assert claims["email"] == customer.email
        assert session.get(endpoints["userinfo_endpoint"]).json()["sub"] == claims["sub"]

        second: dict[str, Any] = session.refresh_token(endpoints["token_endpoint"], auth=credentials)
        assert second["refresh_token"] != first["refresh_token"]
        assert session.get(endpoints["userinfo_endpoint"]).json()["sub"] == claims["sub"]

        # It makes the request, and leaves the sending to requests.
        address, headers, body = client.prepare_token_revocation_request(
            endpoints["revocation_endpoint"], second["refresh_token"], "refresh_token"
        )
        revoked = session.request("POST", address, body, headers, withhold_token=True, auth=credentials)
        assert revoked.json() == {}
        assert session.get(endpoints["userinfo_endpoint"]).status_code == UNAUTHORIZED
        with pytest.raises(InvalidGrantError):
            session.refresh_token(endpoints["token_endpoint"], auth=credentials)

    wanted = {"id_token_hint": second["id_token"], "post_logout_redirect_uri": AFTER_LOGOUT, "state": "bye"}
    assert customer.go(f"{endpoints['end_session_endpoint']}?{urlencode(wanted)}") == f"{AFTER_LOGOUT}?state=bye"
    assert not customer.is_signed_in()


def test_a_service_gets_a_token_with_its_secret(shop: Shop, register: Callable[..., Registered]) -> None:
    service = register("Warehouse", "--type", "service", "--scope", "orders:read", "--store", "demo")
    with OAuth2Session(client=BackendApplicationClient(service.client_id, scope=["orders:read"])) as session:
        session.fetch_token(shop.endpoints["token_endpoint"], client_secret=service.client_secret)
        assert session.get(f"{shop.url}/orders?customer_id=1").json() == []


def _verified(id_token: str, keys: KeySetSerialization, shop: Shop, app: Registered, nonce: str) -> dict[str, Any]:
    """The library leaves ID tokens to others: here joserfc."""
    decoded = jwt.decode(id_token, KeySet.import_key_set(keys), algorithms=["RS256"])
    expected = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": shop.url},
        aud={"essential": True, "value": app.client_id},
        exp={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    expected.validate(decoded.claims)
    return decoded.claims
