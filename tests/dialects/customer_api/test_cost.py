"""What the Customer API may cost in SQL on a warm process: no more than the standard's own requests."""

from collections.abc import Callable

import httpx
import pytest

from tests.dialects.customer_api.shopper import Shopper
from tests.rules.test_statements import counted


def cost(shopper: Shopper, act: Callable[[], httpx.Response], *, at_most: int) -> list[str]:
    """The statements of a request by their verbs; news from elsewhere is looked up again, so it gets a few tries."""
    verbs: list[str] = []
    for _ in range(5):
        shopper.world.http.get("/readyz")
        act()
        with counted(shopper.world) as statements:
            answer = act()
        assert answer.status_code < 500, answer.text
        verbs = [statement.partition(" ")[0] for statement in statements]
        if len(verbs) <= at_most:
            break
    return verbs


def test_a_token_costs_no_statement(shopper: Shopper) -> None:
    assert cost(shopper, shopper.ask_for_token, at_most=0) == []


@pytest.mark.parametrize("case", ["a wrong secret", "a forged token"])
def test_a_refusal_costs_no_statement(shopper: Shopper, case: str) -> None:
    def act() -> httpx.Response:
        if case == "a wrong secret":
            return shopper.ask_for_token(client_secret="wrong")
        return shopper.call("GET", "/orders", token="forged")

    assert cost(shopper, act, at_most=0) == []


def test_finding_products_is_permission_products_and_prices(shopper: Shopper) -> None:
    assert cost(shopper, lambda: shopper.call("GET", "/products?code=C-A100"), at_most=3) == ["SELECT"] * 3


def test_a_list_costs_the_same_however_long_it_is(shopper: Shopper) -> None:
    for _ in range(3):
        shopper.order(("C-A100", 1))
        # Permission, how many there are, the orders, their lines, and the codes of their products.
        assert cost(shopper, shopper.list, at_most=5) == ["SELECT"] * 5


def test_a_bare_token_in_the_order_api_costs_what_any_token_does(shopper: Shopper) -> None:
    order_id = shopper.order(("C-A100", 1)).json()["order_id"]
    http = shopper.world.http
    assert cost(shopper, lambda: http.get(f"/orders/{order_id}", headers=shopper.bearer), at_most=2) == ["SELECT"] * 2
