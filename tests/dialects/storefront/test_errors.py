"""Whatever goes wrong before a door is reached is worded as the storefront does."""

import pytest

from tests.dialects.storefront.shopper import Shop
from tests.support.wire import CHUNK

ORIGIN = {"Origin": "https://shop.example"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/cart/nothing", 404),
        ("GET", "/auth/token/more", 404),
        ("PUT", "/cart", 405),
        ("GET", "/auth", 405),
        ("GET", "/auth/token", 405),
        ("POST", "/checkout/complete", 405),
    ],
)
def test_what_is_not_there_is_said_in_its_words(corner_shop: Shop, method: str, path: str, status: int) -> None:
    answer = corner_shop.ask(method, path)
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    kind = "application/json" if path.startswith("/auth") else "application/vnd.api+json"
    assert answer.headers["content-type"] == kind


def test_a_body_that_is_too_large_is_too(corner_shop: Shop) -> None:
    body = {"order": {"special_instructions": "x" * (CHUNK * 5)}}
    answer = corner_shop.guest().ask("PATCH", "/checkout", body)
    assert (answer.status_code, list(answer.json())) == (413, ["error"])


def test_a_shop_of_any_origin_may_send_the_token_of_a_cart(corner_shop: Shop) -> None:
    asked = {**ORIGIN, "Access-Control-Request-Method": "PATCH"}
    asked["Access-Control-Request-Headers"] = "x-vendo-order-token,content-type"
    preflight = corner_shop.ask("OPTIONS", "/checkout", headers=asked)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    allowed = {name.strip().lower() for name in preflight.headers["access-control-allow-headers"].split(",")}
    assert {"x-vendo-order-token", "x-spree-order-token", "authorization", "content-type"} <= allowed
    assert corner_shop.ask("GET", "/products", headers=ORIGIN).headers["access-control-allow-origin"] == "*"


def test_a_prefetching_browser_asks_with_head(corner_shop: Shop) -> None:
    answer = corner_shop.ask("HEAD", "/products")
    assert (answer.status_code, answer.content) == (200, b"")
