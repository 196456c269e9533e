"""A customer sends orders and lists their own, which are the same orders as everywhere."""

import json
from typing import Any

import pytest

from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.secret_keys import SecretKeys
from authsrv.kit.vault import Vault
from authsrv.shop.webhooks import Webhooks
from authsrv.storage.products import ProductValues, save_product
from authsrv.storage.stores import find_store
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_membership
from tests.actors import ADDRESS, Service
from tests.dialects.customer_api.shopper import Shopper
from tests.engines import on_postgresql_alone
from tests.support.receiver import Receiver
from tests.support.traffic import wait_until
from tests.support.world import SECRET_KEY


def test_a_new_order_is_sent(shopper: Shopper) -> None:
    """Sentence 3."""
    answer = shopper.order(("C-A100", 2), ("C-B200", 1))
    assert answer.status_code == 201
    order = answer.json()
    assert list(order) == [
        "_type",
        "order_id",
        "created_at",
        "payment_status",
        "processing_status",
        "total",
        "currency",
        "products",
    ]
    assert (order["_type"], order["total"], order["currency"]) == ("Order", 46.5, "USD")
    assert order["products"] == [
        {"code": "C-A100", "name": "Product A100", "quantity": 2, "price": 14.0},
        {"code": "C-B200", "name": "Product B200", "quantity": 1, "price": 18.5},
    ]


def test_all_orders_are_listed_with_their_products_and_both_statuses(shopper: Shopper) -> None:
    """Sentence 4: newest first, each as it was answered."""
    sent = [shopper.order(("C-A100", quantity)).json() for quantity in (1, 2, 3)]
    listed = shopper.list()
    assert listed.json() == sent[::-1]
    assert listed.headers["x-total-count"] == "3"
    assert {order["payment_status"] for order in sent} == {"pending"}
    assert {order["processing_status"] for order in sent} == {"pending"}


@pytest.mark.parametrize(
    ("method", "moves", "payment"),
    [
        ("credit_card", [], "pending"),
        ("credit_card", ["processing"], "paid"),
        ("paypal", ["processing", "shipped"], "paid"),
        ("paypal", ["cancelled"], "cancelled"),
    ],
)
def test_statuses_follow_the_shop(shopper: Shopper, method: str, moves: list[str], payment: str) -> None:
    """Sentence 4: an order that the shop placed for this customer, and worked on."""
    service = Service.hired(shopper.world, store=shopper.prefix)
    order_id = place_for(shopper, service, payment_method=method)
    for status in moves:
        path = f"/orders/{order_id}"
        assert shopper.world.http.put(path, json={"status": status}, headers=service.bearer).status_code == 200
    (order,) = shopper.list().json()
    assert order["order_id"] == order_id
    assert order["processing_status"] == (moves[-1] if moves else "pending")
    assert order["payment_status"] == payment


def test_an_order_on_account_stays_to_be_paid(shopper: Shopper) -> None:
    service = Service.hired(shopper.world, store=shopper.prefix)
    order_id = shopper.order(("C-A100", 1)).json()["order_id"]
    for status in ("processing", "shipped", "delivered"):
        shopper.world.http.put(f"/orders/{order_id}", json={"status": status}, headers=service.bearer)
    (order,) = shopper.list().json()
    assert (order["payment_status"], order["processing_status"]) == ("pending", "delivered")


def place_for(shopper: Shopper, service: Service, **changes: object) -> str:
    """An order that the shop places for the customer, by its name for them."""

    def name(unit: Unit) -> str:
        store = find_store(unit, shopper.prefix)
        assert store is not None
        membership = find_membership(unit, store_id=store.id, user_id=shopper.person.user_id)
        assert membership is not None
        return membership.customer_id

    wanted = {
        "customer_id": shopper.world.transact(name),
        "items": [{"product_id": "A100", "quantity": 1}],
        "shipping_address": ADDRESS,
        "payment_method": "paypal",
        **changes,
    }
    order_id: str = service.place(wanted).json()["order_id"]
    return order_id


def test_it_is_the_same_order_in_the_order_api(shopper: Shopper) -> None:
    service = Service.hired(shopper.world, store=shopper.prefix)
    order_id = shopper.order(("C-A100", 2)).json()["order_id"]
    seen = service.read(order_id).json()
    assert seen["items"] == [{"product_id": "A100", "quantity": 2, "price": 14.0}]
    assert seen["customer_id"] == str(shopper.person.user_id)
    assert seen["payment_method"] == "invoice"
    assert seen["shipping_address"] == dict.fromkeys(ADDRESS, "")
    assert shopper.world.http.get(f"/orders/{order_id}", headers=shopper.bearer).json() == seen


def test_an_order_takes_stock_and_tells_webhooks_like_any_other(shopper: Shopper) -> None:
    with Receiver() as receiver:
        listen(shopper, receiver.url)
        order_id = shopper.order(("C-A100", 7)).json()["order_id"]
        wait_until(lambda: bool(receiver.requests), seconds=15, what="the webhook's delivery")
        told = json.loads(receiver.requests[0].body)
    assert (told["event"], told["data"]["order_id"]) == ("order.created", order_id)
    (mug,) = shopper.call("GET", "/products?code=C-A100").json()
    assert mug["stock"] == 1000 - 7


def listen(shopper: Shopper, url: str) -> None:
    """The shop has an endpoint that hears of its orders."""
    entropy = SystemEntropy()
    webhooks = Webhooks(Vault(SecretKeys([SECRET_KEY]), "webhook secret", entropy), entropy, allow_loopback=True)

    def work(unit: Unit) -> None:
        store = shopper.world.runtime.stores.find(unit, shopper.prefix)
        assert store is not None
        webhooks.create(unit, store, url, ("order.created",), developer_id=None, actor="test")

    shopper.world.transact(work)


def test_a_note_comes_with_the_order_and_back(shopper: Shopper) -> None:
    """Sentence 3."""
    note = "Ring twice.\nThe dog is friendly."
    order = shopper.order(("C-A100", 1), note=f" {note} ").json()
    assert order["note"] == note
    assert shopper.list().json()[0]["note"] == note


@pytest.mark.parametrize("note", ["Prix : 10\u00a0€", "می\u200cشود", "रक्\u200dषा", "a\tb\r\nc"])
def test_a_note_is_text_in_any_script(shopper: Shopper, note: str) -> None:
    order = shopper.order(("C-A100", 1), note=note)
    assert (order.status_code, order.json()["note"]) == (201, note)


def test_who_works_in_the_store_lists_their_own_orders_alone(shopper: Shopper) -> None:
    owner = Shopper.allowed(shopper.world, prefix=shopper.prefix, role="owner")
    shopper.order(("C-A100", 1))
    assert owner.list().json() == []
    own = owner.order(("C-B200", 1)).json()
    assert owner.list().json() == [own]
    assert len(shopper.list().json()) == 1


def test_another_customers_orders_are_not_listed(shopper: Shopper) -> None:
    other = Shopper.allowed(shopper.world, prefix=shopper.prefix)
    shopper.order(("C-A100", 1))
    assert other.list().json() == []


def test_a_long_list_leads_on(shopper: Shopper) -> None:
    """Sentence 4: all of them, five hundred at once unless fewer are asked for."""
    sent = [shopper.order(("C-A100", 1)).json()["order_id"] for _ in range(5)]
    page = shopper.list(limit=2)
    seen = []
    while True:
        seen += [order["order_id"] for order in page.json()]
        if "next" not in page.links:
            break
        following = page.links["next"]["url"]
        assert following.startswith(f"{shopper.world.url}/stores/{shopper.prefix}/api/customer/orders?")
        page = shopper.world.http.get(following, headers=shopper.bearer)
    assert seen == sent[::-1]


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "501"}, {"limit": "two"}, {"after": "nothing"}])
@on_postgresql_alone("regular")
def test_a_list_that_cannot_be_is_refused(regular: Shopper, query: dict[str, str]) -> None:
    answer = regular.list(**query)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


BAD: dict[str, tuple[Any, str]] = {
    "nothing": ({}, "The products parameter is required."),
    "no product": ({"products": []}, "products: "),
    "an array": ([], "The body must be a JSON object."),
    "a text": ({"products": "C-A100"}, "products: "),
    "no quantity": ({"products": [{"code": "C-A100"}]}, "The products[0].quantity parameter is required."),
    "none of it": ({"products": [{"code": "C-A100", "quantity": 0}]}, "products[0].quantity: "),
    "a quantity as text": ({"products": [{"code": "C-A100", "quantity": "2"}]}, "products[0].quantity: "),
    "no such code": (
        {"products": [{"code": "C-A100", "quantity": 1}, {"code": "?", "quantity": 1}]},
        "products[1].code is not a product of this store.",
    ),
    "more than there is": (
        {"products": [{"code": "C-A100", "quantity": 5000}]},
        "products[0].quantity is more than there is in stock.",
    ),
    "a line separator in the note": ({"products": [{"code": "C-A100", "quantity": 1}], "note": "a\u2028b"}, "note: "),
    "a NUL in the note": ({"products": [{"code": "C-A100", "quantity": 1}], "note": "\0"}, "note: "),
    "a novel": ({"products": [{"code": "C-A100", "quantity": 1}], "note": "x" * 1001}, "note: "),
}


@pytest.mark.parametrize(("body", "fault"), BAD.values(), ids=BAD.keys())
@on_postgresql_alone("regular")
def test_an_order_that_cannot_be_is_refused_by_the_field(regular: Shopper, body: Any, fault: str) -> None:
    answer = regular.call("POST", "/orders", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"] == "invalid_request"
    assert answer.json()["error_description"].startswith(fault)
    assert regular.list().json() == []


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"products":[{"code":"\\u0000","quantity":1}]}'])
@on_postgresql_alone("regular")
def test_a_body_that_cannot_be_read_is_refused(regular: Shopper, body: bytes) -> None:
    answer = regular.call("POST", "/orders", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_code_of_several_brands_needs_the_brand(shopper: Shopper) -> None:
    def work(unit: Unit) -> None:
        store = find_store(unit, shopper.prefix)
        assert store is not None
        for brand in ("Kvarn", "Nordsten"):
            values = ProductValues(product_id=brand, code="TWICE", brand=brand, name=brand, price_minor=100, stock=9)
            save_product(unit, store.id, values)

    shopper.world.transact(work)
    refused = shopper.order(("TWICE", 1))
    assert refused.json()["error_description"] == "products[0].code is of several brands: name the brand too."
    named = {"products": [{"code": "TWICE", "brand": "Kvarn", "quantity": 1}]}
    assert shopper.call("POST", "/orders", json=named).json()["products"][0]["name"] == "Kvarn"
