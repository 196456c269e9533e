"""Orders: placed with prices from the catalogue, read back, refused with the name of the field at fault."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import orjson
import pytest

from authsrv.shop.money import to_minor
from authsrv.storage.products import ProductValues, save_product
from authsrv.storage.stores import find_store
from authsrv.storage.unit import Unit
from tests.actors import ADDRESS, ORDER, Service, order_of
from tests.engines import on_postgresql_alone
from tests.support.plain_http import NO_TLS
from tests.support.world import World

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def stock(world: World, service: Service, product_id: str, *, price: str = "14.00", left: int = 1000) -> None:
    """The service's store sells so many of this product at this price from now on."""

    def work(unit: Unit) -> None:
        store = find_store(unit, service.store or "")
        assert store is not None
        values = ProductValues(
            product_id=product_id,
            code=f"C-{product_id}",
            brand="",
            name=product_id,
            price_minor=to_minor(price, store.currency),
            stock=left,
        )
        save_product(unit, store.id, values)

    world.transact(work)


def test_placing_an_order_answers_as_the_seed_does(world: World) -> None:
    answer = Service.hired(world).place()
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    placed = answer.json()
    assert list(placed) == ["order_id", "status", "created_at"]
    assert placed["status"] == "pending"
    assert TIME.fullmatch(placed["created_at"])


def test_an_order_reads_back_as_it_was_placed(world: World) -> None:
    service = Service.hired(world)
    placed = service.place().json()
    order = service.read(placed["order_id"]).json()
    assert order.pop("updated_at") == placed["created_at"]
    assert order == {
        **placed,
        "customer_id": "12345",
        "items": [
            {"product_id": "A100", "quantity": 2, "price": 14.0},
            {"product_id": "B200", "quantity": 1, "price": 18.5},
        ],
        "shipping_address": ADDRESS,
        "payment_method": "credit_card",
    }


def test_the_price_is_the_catalogues_and_never_the_callers(world: World) -> None:
    service = Service.hired(world)
    items = [{"product_id": "A100", "quantity": 1, "price": 0.01}]
    order_id = service.place({**ORDER, "items": items, "total": 0.01}).json()["order_id"]
    assert service.read(order_id).json()["items"][0]["price"] == 14.0


def test_an_order_keeps_its_price_when_the_catalogue_changes(world: World) -> None:
    service = Service.hired(world)
    order_id = service.place(order_of(("A100", 1))).json()["order_id"]
    stock(world, service, "A100", price="99.00")
    assert service.read(order_id).json()["items"][0]["price"] == 14.0
    later = service.place(order_of(("A100", 1))).json()["order_id"]
    assert service.read(later).json()["items"][0]["price"] == 99.0


def test_a_currency_without_cents_has_whole_prices(world: World) -> None:
    store = world.add_store(currency="EUR")
    service = Service.hired(world, store=store.prefix)
    stock(world, service, "C300", price="0.1")
    assert service.read(service.place(order_of(("C300", 3))).json()["order_id"]).json()["items"][0]["price"] == 0.1


def test_a_product_may_stand_in_an_order_twice(world: World) -> None:
    service = Service.hired(world)
    order_id = service.place(order_of(("A100", 1), ("A100", 2))).json()["order_id"]
    assert [item["quantity"] for item in service.read(order_id).json()["items"]] == [1, 2]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Straße 12, Köln", id="umlauts"),
        pytest.param("東京都千代田区丸の内一丁目", id="Japanese"),
        pytest.param("خیابان آزادی، می‌خواهم", id="Persian with a joiner"),
        pytest.param("12\u00a0rue de la Paix", id="a no-break space"),
        pytest.param("Under the 🛒", id="a picture"),
    ],
)
def test_an_address_may_be_in_any_script(world: World, text: str) -> None:
    service = Service.hired(world)
    placed = service.place(order_of(("A100", 1), shipping_address={**ADDRESS, "street": text}))
    assert placed.status_code == 201, placed.text
    assert service.read(placed.json()["order_id"]).json()["shipping_address"]["street"] == text


def test_spaces_around_a_text_are_dropped_and_state_may_be_left_out(world: World) -> None:
    service = Service.hired(world)
    address = {"street": "  1 High St ", "city": "Bath", "zip": "BA1", "country": "GB"}
    order_id = service.place({**ORDER, "shipping_address": address}).json()["order_id"]
    kept = service.read(order_id).json()["shipping_address"]
    assert kept == {"street": "1 High St", "city": "Bath", "state": "", "zip": "BA1", "country": "GB"}


def test_no_card_number_is_kept(world: World) -> None:
    service = Service.hired(world)
    card = {"card_number": "4111111111111111", "cvv": "123"}
    order_id = service.place({**ORDER, "payment_details": card}).json()["order_id"]
    read = service.read(order_id)
    assert card["card_number"] not in read.text
    assert read.json().keys().isdisjoint({"payment_details", *card})


def changed(path: str, value: object) -> dict[str, Any]:
    """The seed's order with one thing in it changed, or (for `...`) left out."""
    order: dict[str, Any] = orjson.loads(orjson.dumps(ORDER))
    *way, last = (int(part) if part.isdigit() else part for part in path.split("."))
    target: Any = order
    for part in way:
        target = target[part]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return order


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        pytest.param("customer_id", ..., "customer_id", id="no customer"),
        pytest.param("customer_id", "", "customer_id", id="an empty customer"),
        pytest.param("customer_id", 12345, "customer_id", id="a customer that is a number"),
        pytest.param("customer_id", "x" * 65, "customer_id", id="a long customer"),
        pytest.param("customer_id", "a\x00b", "customer_id", id="NUL in the customer"),
        pytest.param("items", ..., "items", id="no items"),
        pytest.param("items", [], "items", id="empty items"),
        pytest.param("items", {}, "items", id="items that are no list"),
        pytest.param("items", [{"product_id": "A100", "quantity": 1}] * 101, "items", id="101 items"),
        pytest.param("items.1", "A100", "items[1]", id="an item that is a text"),
        pytest.param("items.1.product_id", ..., "items[1].product_id", id="no product"),
        pytest.param("items.1.product_id", "Z999", "items[1].product_id", id="an unknown product"),
        pytest.param("items.1.product_id", "B200\x00", "items[1].product_id", id="NUL in the product"),
        pytest.param("items.1.quantity", ..., "items[1].quantity", id="no quantity"),
        pytest.param("items.1.quantity", 0, "items[1].quantity", id="none of it"),
        pytest.param("items.1.quantity", -1, "items[1].quantity", id="less than none"),
        pytest.param("items.1.quantity", 1.5, "items[1].quantity", id="one and a half"),
        pytest.param("items.1.quantity", "2", "items[1].quantity", id="a quantity that is a text"),
        pytest.param("items.1.quantity", True, "items[1].quantity", id="a quantity that is true"),
        pytest.param("items.1.quantity", None, "items[1].quantity", id="a quantity that is null"),
        pytest.param("items.1.quantity", 10_001, "items[1].quantity", id="10,001 of it"),
        pytest.param("items.1.quantity", 2**63, "items[1].quantity", id="2**63 of it"),
        pytest.param("items.1.quantity", 1001, "items[1].quantity", id="more than there are"),
        pytest.param("shipping_address", ..., "shipping_address", id="no address"),
        pytest.param("shipping_address", "home", "shipping_address", id="an address that is a text"),
        pytest.param("shipping_address.street", ..., "shipping_address.street", id="no street"),
        pytest.param("shipping_address.street", "  ", "shipping_address.street", id="a blank street"),
        pytest.param("shipping_address.street", "a\nb", "shipping_address.street", id="a line break in the street"),
        pytest.param("shipping_address.street", "x" * 201, "shipping_address.street", id="a long street"),
        pytest.param("shipping_address.city", 7, "shipping_address.city", id="a city that is a number"),
        pytest.param("shipping_address.country", "Germany", "shipping_address.country", id="a country in words"),
        pytest.param("shipping_address.country", "XX", "shipping_address.country", id="a country there is not"),
        pytest.param("payment_method", ..., "payment_method", id="no payment method"),
        pytest.param("payment_method", "barter", "payment_method", id="an unknown payment method"),
        pytest.param("payment_details", "4111", "payment_details", id="payment details that are a text"),
    ],
)
@on_postgresql_alone()
def test_an_order_that_cannot_be_says_which_field_is_at_fault(
    world: World, path: str, value: object, named: str
) -> None:
    answer = Service.hired(world).place(changed(path, value))
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert set(answer.json()) == {"error"}
    assert set(error) == {"code", "message"}
    assert error["code"] == "invalid_parameter"
    assert not re.search(r"function-|constrained|literal\[", error["message"]), "no words of the library's"
    assert re.search(rf"(^|\s){re.escape(named)}\b", error["message"]) or named in error["message"].split(":")[0]
    assert "4111" not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="half an object"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"null", id="null"),
        pytest.param(b'"order"', id="a text"),
        pytest.param(b"\xff\xfe", id="no UTF-8"),
        pytest.param(b'{"customer_id": "\\ud800"}', id="half a surrogate pair"),
        pytest.param(b"[" * 100_000, id="a hundred thousand brackets"),
        pytest.param(b'{"a": ' + b"9" * 100_000 + b"}", id="a number of 100,000 digits"),
        pytest.param(b'{"items": NaN}', id="NaN"),
    ],
)
@on_postgresql_alone()
def test_a_body_that_is_no_order_is_refused_in_json(world: World, body: bytes) -> None:
    answer = Service.hired(world).place_raw(body)
    is_json = body in {b"[]", b"null", b'"order"'}
    assert ("must be a JSON object" in answer.text) is is_json, answer.text
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"] == "invalid_parameter"


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", ""], ids=repr)
def test_another_kind_of_body_is_415(world: World, content_type: str) -> None:
    service = Service.hired(world)
    headers = {**service.bearer, **({"Content-Type": content_type} if content_type else {})}
    answer = world.http.post("/orders", content=b"{}", headers=headers)
    assert answer.status_code == 415
    assert answer.json()["error"]["code"] == "unsupported_media_type"


def test_a_refused_order_takes_nothing_out_of_stock(world: World) -> None:
    service = Service.hired(world)
    stock(world, service, "C300", left=1)
    assert service.place(order_of(("C300", 1), ("A100", 9999))).status_code == 400
    assert service.list().json() == []
    assert service.place(order_of(("C300", 1))).status_code == 201


def test_stock_is_never_sold_twice_however_many_ask_at_once(world: World) -> None:
    service = Service.hired(world)
    stock(world, service, "C300", left=7)
    headers = service.bearer

    def buy(_: int) -> int:
        with httpx.Client(verify=NO_TLS, base_url=world.url, timeout=20) as buyer:
            return buyer.post("/orders", json=order_of(("A100", 1), ("C300", 1)), headers=headers).status_code

    with ThreadPoolExecutor(16) as crowd:
        answers = sorted(crowd.map(buy, range(24)))

    assert answers == [201] * 7 + [400] * 17
    assert int(service.list(limit=1).headers["x-total-count"]) == 7


def test_orders_that_want_each_others_products_never_wait_for_each_other_forever(world: World) -> None:
    service = Service.hired(world)
    headers = service.bearer

    def buy(number: int) -> int:
        items = [("A100", 1), ("B200", 1)] if number % 2 else [("B200", 1), ("A100", 1)]
        with httpx.Client(verify=NO_TLS, base_url=world.url, timeout=20) as buyer:
            return buyer.post("/orders", json=order_of(*items), headers=headers).status_code

    with ThreadPoolExecutor(8) as crowd:
        assert set(crowd.map(buy, range(24))) == {201}


@pytest.mark.parametrize("order_id", ["1", "not-an-id", "%00", "é", "x" * 3000, "0192F0C1-2345-7ABC-8DEF-0123456789AB"])
@on_postgresql_alone()
def test_what_is_no_order_id_is_not_found(world: World, order_id: str) -> None:
    answer = world.http.get(f"/orders/{order_id}", headers=Service.hired(world).bearer)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


def test_a_list_is_bare_and_newest_first(world: World) -> None:
    service = Service.hired(world)
    assert service.list().json() == []
    placed = [service.place().json()["order_id"] for _ in range(3)]
    answer = service.list()
    assert [order["order_id"] for order in answer.json()] == placed[::-1]
    assert answer.json()[0] == service.read(placed[2]).json()
    assert answer.headers["x-total-count"] == "3"
    assert "link" not in answer.headers


def test_following_the_links_meets_every_order_once_even_while_new_ones_arrive(world: World) -> None:
    service = Service.hired(world)
    placed = [service.place().json()["order_id"] for _ in range(5)]
    seen: list[str] = []
    answer = service.list(limit=2, customer_id="12345")
    for _ in range(10):
        seen += [order["order_id"] for order in answer.json()]
        link = answer.headers.get("link")
        if link is None:
            break
        target = re.fullmatch(r'<([^>]+)>; rel="next"', link)
        assert target is not None
        assert parse_qs(urlsplit(target[1]).query)["customer_id"] == ["12345"]
        service.place()
        answer = httpx.get(target[1], headers=service.bearer, verify=NO_TLS)
    assert seen == placed[::-1]


def test_a_page_can_be_named_by_its_number(world: World) -> None:
    service = Service.hired(world)
    placed = [service.place().json()["order_id"] for _ in range(3)]
    second = service.list(limit=2, page=2)
    assert [order["order_id"] for order in second.json()] == [placed[0]]
    assert second.headers["x-total-count"] == "3"
    assert service.list(limit=2, page=3).json() == []


def test_twenty_orders_make_a_page(sqlite_world: World) -> None:
    service = Service.hired(sqlite_world)
    for _ in range(21):
        service.place()
    first = service.list()
    assert len(first.json()) == 20
    assert first.headers["x-total-count"] == "21"


def test_a_list_can_be_narrowed_to_a_customer_or_a_status(world: World) -> None:
    service = Service.hired(world)
    mine = service.place().json()["order_id"]
    other = service.place({**ORDER, "customer_id": "777"}).json()["order_id"]
    found = service.list(customer_id="777")
    assert [order["order_id"] for order in found.json()] == [other]
    assert found.headers["x-total-count"] == "1"
    assert [order["order_id"] for order in service.list(status="pending").json()] == [other, mine]
    assert service.list(status="shipped").json() == []
    assert service.list(customer_id="nobody").json() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "-1"),
        ("limit", "ten"),
        ("limit", "1e1"),
        ("limit", "²"),
        ("limit", "9" * 400),
        ("page", "0"),
        ("page", "100001"),
        ("page", "1.5"),
        ("status", "lost"),
        ("after", "7"),
        ("customer_id", "a\0b"),
    ],
    ids=lambda value: repr(value[:12]),
)
@on_postgresql_alone()
def test_a_listing_that_cannot_be_names_the_parameter(world: World, name: str, value: str) -> None:
    answer = Service.hired(world).list(**{name: value})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"] == "invalid_parameter"
    assert re.match(rf"{name}\b(?![.\[])|The {name} parameter", answer.json()["error"]["message"])
