"""The libraries of panva's for apps with a server on Node."""

import pytest

from tests.clients.customer import Customer
from tests.clients.js.scripts import run_script
from tests.clients.shop import AFTER_LOGOUT, CALLBACK, SCOPE, Registered, Shop


@pytest.mark.parametrize("library", ["openid-client", "oauth4webapi"])
def test_the_library_completes_every_step(library: str, shop: Shop, web_app: Registered, customer: Customer) -> None:
    told = {
        "issuer": shop.url,
        "client_id": web_app.client_id,
        "client_secret": web_app.client_secret,
        "redirect_uri": CALLBACK,
        "post_logout_redirect_uri": AFTER_LOGOUT,
        "scope": SCOPE,
    }
    seen = run_script(f"{library}.mjs", told, customer.go)
    assert seen["email"] == seen["userinfo"]["email"] == customer.email
    assert seen["rotated"]
    assert seen["refused"] == {"userinfo": "invalid_token", "refresh": "invalid_grant"}
    assert seen["left"] == f"{AFTER_LOGOUT}?state=bye"
    assert not customer.is_signed_in()


@pytest.mark.parametrize("method", ["", "none", "client_secret_post"])
def test_the_library_registers_an_app_by_itself(method: str, shop: Shop, customer: Customer) -> None:
    told = {"issuer": shop.url, "redirect_uri": CALLBACK, "scope": SCOPE, "method": method}
    seen = run_script("registering.mjs", told, customer.go)
    assert seen["email"] == customer.email
    assert ("client_secret" in seen["client"]) is (method != "none")
