"""The catalogue: open to all, filtered and in pages, and at their own prices for who is signed in."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.actors import Service
from tests.conftest import ENGINES
from tests.dialects.storefront.shopper import Shop


@pytest.fixture(scope="module", params=ENGINES)
def stocked(request: pytest.FixtureRequest) -> Shop:
    """A100 at 14.00, B200 at 18.50, and three more; one shop on each engine for all who only look."""
    shop = Shop.opened(request.getfixturevalue(f"{request.param}_mall"))
    shop.add_product("C300", 2400, 0, name="Linen tea towel", code="LN-1", brand="Lindgren")
    shop.add_product("C301", 5200, 3, name="Linen apron, 100% linen", code="LN-2", brand="Lindgren")
    shop.add_product("D400", 1600, 7, name="Beeswax candle", code="OB-1", brand="Oak & Bee")
    return shop


def ids(shop: Shop, query: str, **headers: str) -> list[str]:
    answer = shop.ask("GET", f"/products?{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["data"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["A100", "B200", "C300", "C301", "D400"]),
        ("filter[ids]=D400,A100,Z999", ["A100", "D400"]),
        ("filter[skus]=LN-1,OB-1", ["C300", "D400"]),
        ("filter[name]=LINEN", ["C300", "C301"]),
        ("filter[name]=100%25", ["C301"]),
        ("filter[name]=_", []),
        ("filter[price]=15,24", ["B200", "C300", "D400"]),
        ("filter[price]=24", ["C300", "C301"]),
        ("filter[price]=,14.00", ["A100"]),
        ("filter[in_stock]=true", ["A100", "B200", "C301", "D400"]),
        ("filter[in_stock]=false", ["C300"]),
        ("filter[price]=15,60&filter[name]=linen&filter[in_stock]=1", ["C301"]),
        ("sort=price", ["A100", "D400", "B200", "C300", "C301"]),
        ("sort=-price", ["C301", "C300", "B200", "D400", "A100"]),
        ("sort=name&filter[name]=linen", ["C301", "C300"]),
        ("sort=-available_on&per_page=1", ["D400"]),
        ("page=2&per_page=2", ["C300", "C301"]),
        ("page=9", []),
        ("filter[unheard]=of&utm_source=mail", ["A100", "B200", "C300", "C301", "D400"]),
    ],
)
def test_products_are_found(stocked: Shop, query: str, found: list[str]) -> None:
    assert ids(stocked, query) == found


@pytest.mark.parametrize(
    "query",
    [
        "filter[price]=cheap",
        "filter[price]=1,2,3",
        "filter[price]=0.001,1",
        "filter[name]=%00",
        "filter[name]=" + "x" * 201,
        "filter[ids]=" + ",".join("x" * 101),
        "sort=colour",
        "page=0",
        "page=-1",
        "page=1.5",
        "page=" + "9" * 30,
        "per_page=101",
        "include=colours",
        "include=variants.colours",
    ],
)
def test_a_query_that_cannot_be_is_refused(corner_shop: Shop, query: str) -> None:
    answer = corner_shop.ask("GET", f"/products?{query}")
    assert answer.status_code == 400, answer.text
    assert list(answer.json()) == ["error"]


def test_pages_lead_on(stocked: Shop) -> None:
    body = stocked.ask("GET", "/products?per_page=2&sort=-price").json()
    seen = [each["id"] for each in body["data"]]
    assert body["meta"] == {"count": 2, "total_count": 5, "total_pages": 3}
    for _ in range(2):
        body = stocked.world.http.get(body["links"]["next"]).json()
        seen += [each["id"] for each in body["data"]]
    assert seen == ["C301", "C300", "B200", "D400", "A100"]
    assert body["links"]["self"] == body["links"]["last"] == body["links"]["next"]


def test_who_is_signed_in_sees_their_own_prices(stocked: Shop) -> None:
    """Sentence 16: "when fetching products with user tokens you will receive per-user pricing (if configured)"."""
    shopper, other = stocked.sign_in(), stocked.sign_in()
    stocked.set_price(shopper.email, "C301", 999)

    def price(**headers: str) -> str:
        listed = stocked.ask("GET", "/products?filter[ids]=C301", headers=headers).json()["data"][0]
        alone = stocked.ask("GET", "/products/C301", headers=headers).json()["data"]
        assert listed == alone
        found: str = alone["attributes"]["price"]
        return found

    assert [price(**shopper.headers), price(**other.headers), price()] == ["9.99", "52.0", "52.0"]
    assert ids(stocked, "filter[price]=9,10", **shopper.headers) == ["C301"]
    assert ids(stocked, "sort=price&per_page=1", **shopper.headers) == ["C301"]
    assert ids(stocked, "filter[price]=9,10", **other.headers) == []


def test_their_own_price_is_what_the_cart_and_the_order_cost(stocked: Shop) -> None:
    shopper = stocked.sign_in()
    stocked.set_price(shopper.email, "A100", 1111)
    cart, guest = shopper.cart(), stocked.guest()
    assert guest.add().json()["data"]["attributes"]["total"] == "14.0"
    assert cart.ordered()["attributes"]["total"] == "22.22"
    service = Service.hired(stocked.world, store=stocked.store.prefix)
    assert service.list().json()[0]["items"][0]["price"] == 11.11
    # A guest's cart costs what theirs does once it is theirs.
    joined = shopper.ask("PATCH", f"/cart/associate?guest_order_token={guest.token}").json()
    assert joined["data"]["attributes"]["total"] == "11.11"


def test_a_token_that_is_none_is_told_so_where_none_is_needed(corner_shop: Shop) -> None:
    assert corner_shop.ask("GET", "/products", headers={"Authorization": "Bearer at_AAAA"}).status_code == 401


def test_another_shops_products_are_not_here(shop: Shop) -> None:
    other = Shop.opened(shop.world)
    other.add_product("X900", 100, 1)
    assert shop.ask("GET", "/products/X900").json() == {"error": "There is no such product."}
    assert other.ask("GET", "/products/X900").status_code == 200


@pytest.mark.parametrize("product_id", ["A/1", "A 1", "Ä", "A%1", "a" * 64])
def test_a_product_may_be_called_anything(corner_shop: Shop, product_id: str) -> None:
    corner_shop.add_product(product_id, 100, 5)
    shown = corner_shop.ask("GET", f"/products/{quote(product_id, safe='')}").json()
    assert shown["data"]["id"] == product_id
    assert corner_shop.guest().add(product_id).json()["data"]["attributes"]["total"] == "1.0"


def relation(resource: dict[str, Any], name: str) -> Any:
    return resource["relationships"][name]["data"]


def test_what_a_document_speaks_of_comes_with_it_when_asked_for(shop: Shop) -> None:
    product = shop.ask("GET", "/products/A100?include=variants,default_variant").json()
    (variant,) = product["included"]
    assert relation(product["data"], "default_variant") == {"id": variant["id"], "type": "variant"}
    cart = shop.guest()
    cart.add("A100", 2)
    cart.add("B200", 1)
    path = "/cart?include=line_items,variants,line_items.variant.product,variants.images,billing_address"
    body = cart.ask("GET", path).json()
    kinds = sorted((each["type"], each["id"]) for each in body["included"])
    # Each once, however many ways lead there.
    assert len(kinds) == len(set(kinds)) == 6
    assert {kind for kind, _ in kinds} == {"line_item", "variant", "product"}
    lines = {each["attributes"]["name"]: each for each in body["included"] if each["type"] == "line_item"}
    assert lines["Product A100"]["attributes"]["total"] == "28.0"
    assert relation(lines["Product A100"], "variant") == {"id": "A100", "type": "variant"}


def test_clients_that_send_a_body_say_there_what_is_to_come(shop: Shop) -> None:
    wanted = {"variant_id": "A100", "include": "line_items", "fields": {"cart": "total", "line_item": "name"}}
    body = shop.guest().ask("POST", "/cart/add_item", wanted).json()
    assert body["data"]["attributes"] == {"total": "14.0"}
    assert [each["attributes"] for each in body["included"]] == [{"name": "Product A100"}]
    made = shop.ask("POST", "/cart", {"include": "user,line_items", "fields": ["not so"], "public_metadata": {}})
    assert (made.status_code, made.json()["included"]) == (201, [])


def test_only_the_fields_asked_for_come(shop: Shop) -> None:
    cart = shop.guest()
    cart.add()
    path = "/cart?include=line_items&fields[cart]=total,line_items&fields[line_item]=name,quantity"
    body = cart.ask("GET", path).json()
    assert body["data"]["attributes"] == {"total": "14.0"}
    assert list(body["data"]["relationships"]) == ["line_items"]
    assert body["included"][0]["attributes"] == {"name": "Product A100", "quantity": 1}


def test_the_user_comes_with_their_cart(shop: Shop) -> None:
    shopper = shop.sign_in(first_name="Ada", last_name="Lovelace")
    shopper.cart()
    (user,) = shopper.ask("GET", "/cart?include=user").json()["included"]
    assert user["attributes"]["email"] == shopper.email
