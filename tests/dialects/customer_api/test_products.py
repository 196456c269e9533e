"""Products by code, or by brand and code, with what is in stock and what they cost this customer."""

import pytest

from authsrv.storage.prices import save_price
from authsrv.storage.products import ProductValues, list_products_named, save_product
from authsrv.storage.stores import find_store
from authsrv.storage.unit import Unit
from tests.dialects.customer_api.shopper import Shopper
from tests.engines import on_postgresql_alone

MUG = {
    "_type": "Product",
    "code": "C-A100",
    "brand": "Harbour",
    "name": "Product A100",
    "price": 14.0,
    "currency": "USD",
    "available": True,
    "stock": 1000,
}


def stock_product(shopper: Shopper, product_id: str, code: str, brand: str, stock: int = 5) -> None:
    def work(unit: Unit) -> None:
        store = find_store(unit, shopper.prefix)
        assert store is not None
        values = ProductValues(
            product_id=product_id, code=code, brand=brand, name=f"{brand} {code}", price_minor=500, stock=stock
        )
        save_product(unit, store.id, values)

    shopper.world.transact(work)


def found(shopper: Shopper, **query: str) -> list[tuple[str, str]]:
    answer = shopper.call("GET", "/products", params=query)
    assert answer.status_code == 200, answer.text
    return [(product["brand"], product["code"]) for product in answer.json()]


def test_a_product_is_found_by_its_code(regular: Shopper) -> None:
    """Sentences 1 and 2."""
    answer = regular.call("GET", "/products", params={"code": "C-A100"})
    assert answer.json() == [MUG]
    assert list(answer.json()[0]) == list(MUG)


def test_a_product_is_found_by_brand_and_code(shopper: Shopper) -> None:
    """Sentence 1: two brands may use one code."""
    stock_product(shopper, "X1", "C-A100", "Lindgren")
    assert found(shopper, code="C-A100") == [("Harbour", "C-A100"), ("Lindgren", "C-A100")]
    assert found(shopper, code="C-A100", brand="Lindgren") == [("Lindgren", "C-A100")]
    assert found(shopper, code="C-A100", brand="lindgren") == [("Lindgren", "C-A100")]
    assert found(shopper, code="C-A100", brand="Kvarn") == []
    assert found(shopper, code="nothing") == []


def test_what_is_sold_out_is_not_available(shopper: Shopper) -> None:
    """Sentence 2."""
    stock_product(shopper, "X2", "LAST-1", "Kvarn", stock=1)
    assert shopper.order(("LAST-1", 1)).status_code == 201
    (product,) = shopper.call("GET", "/products", params={"code": "LAST-1"}).json()
    assert (product["available"], product["stock"]) == (False, 0)


def test_a_customer_sees_their_own_price_and_nobody_elses(shopper: Shopper) -> None:
    """Sentence 2."""
    other = Shopper.allowed(shopper.world, prefix=shopper.prefix)

    def work(unit: Unit) -> None:
        store = find_store(unit, shopper.prefix)
        assert store is not None
        (mug,) = list_products_named(unit, store.id, ["A100"])
        save_price(unit, mug.id, shopper.person.user_id, 1111)

    shopper.world.transact(work)
    for somebody, price in ((shopper, 11.11), (other, 14.0)):
        (product,) = somebody.call("GET", "/products", params={"code": "C-A100"}).json()
        assert product["price"] == price
        order = somebody.order(("C-A100", 2)).json()
        assert (order["products"][0]["price"], order["total"]) == (price, 2 * price)


def test_another_stores_products_are_not_found(shopper: Shopper) -> None:
    elsewhere = Shopper.allowed(shopper.world)
    stock_product(elsewhere, "X3", "ONLY-THERE", "Kvarn")
    assert found(elsewhere, code="ONLY-THERE")
    assert found(shopper, code="ONLY-THERE") == []


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("", "The code parameter is required."),
        ("?brand=Harbour", "The code parameter is required."),
        ("?code=", "The code parameter is required."),
        ("?code=a&code=b", "code must not be repeated."),
        ("?code=%00", "code has a character it cannot have."),
    ],
)
@on_postgresql_alone("regular")
def test_a_search_without_a_code_is_refused(regular: Shopper, query: str, fault: str) -> None:
    answer = regular.call("GET", f"/products{query}")
    assert answer.status_code == 400
    assert answer.json() == {"error": "invalid_request", "error_description": fault, "status": 400}
