"""Checkout: from a cart to an order that the whole house knows, once, and never of what is not there."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from authsrv.storage.deliveries import list_deliveries
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_membership
from tests.actors import Service
from tests.dialects.storefront.shopper import ADDRESS, Shop
from tests.engines import on_postgresql_alone
from tests.flows.test_webhooks import listen


def service_of(shop: Shop) -> Service:
    return Service.hired(shop.world, store=shop.store.prefix)


def test_a_guests_order_is_in_the_order_api(shop: Shop) -> None:
    document = shop.guest().ordered()
    attributes = document["attributes"]
    assert (attributes["state"], attributes["total"], attributes["item_count"]) == ("complete", "28.0", 2)
    assert (attributes["shipment_state"], attributes["payment_state"]) == ("pending", "balance_due")
    order = service_of(shop).read(document["id"]).json()
    assert order["customer_id"] == f"guest-{attributes['number']}"
    assert order["items"] == [{"product_id": "A100", "quantity": 2, "price": 14.0}]
    assert order["shipping_address"] == {
        "street": "12 St James's Square, 2nd floor",
        "city": "London",
        "state": "Greater London",
        "zip": "SW1Y 4JH",
        "country": "GB",
    }
    assert (order["payment_method"], order["status"]) == ("credit_card", "pending")
    assert order["created_at"] == attributes["completed_at"]
    assert shop.stock("A100") == 998


def test_a_users_order_is_theirs_everywhere(shop: Shop) -> None:
    shopper = shop.sign_in()
    shopper.cart().ordered()
    (placed,) = shopper.ask("GET", "/account/orders").json()["data"]
    mine = shop.world.http.get(f"/orders/{placed['id']}", headers=shopper.headers)
    assert mine.status_code == 200
    assert mine.json()["customer_id"] == str(shopper.user.id)
    assert [order["order_id"] for order in service_of(shop).list().json()] == [placed["id"]]
    assert shopper.ask("GET", "/account").json()["data"]["attributes"]["completed_orders"] == 1
    # Nobody else's, though they hold a token of the same shop.
    other = shop.sign_in()
    assert shop.world.http.get(f"/orders/{placed['id']}", headers=other.headers).status_code == 404
    assert other.ask("GET", "/account/orders").json()["data"] == []


def test_the_order_is_told_to_webhooks_in_its_own_transaction(shop: Shop) -> None:
    webhook, _ = listen(shop.world, shop.store.prefix, "http://127.0.0.1:9/hook", "order.created")
    document = shop.guest().ordered()

    def told() -> list[str]:
        return [each.body for each in shop.world.transact(lambda unit: list_deliveries(unit, webhook, 10))]

    (body,) = told()
    assert f'"order_id":"{document["id"]}"' in body
    assert '"event":"order.created"' in body
    # What was refused was not told.
    cart = shop.guest()
    cart.add()
    assert cart.complete().status_code == 422
    assert len(told()) == 1


def test_after_completing_the_token_is_spent(shop: Shop) -> None:
    """Sentence 24: "after completing the checkout you need to create new cart and obtain a new token"."""
    cart = shop.guest()
    cart.ordered()
    for method, path in (
        ("GET", "/cart"),
        ("DELETE", "/cart"),
        ("PATCH", "/cart/empty"),
        ("PATCH", "/checkout/complete"),
        ("PATCH", "/checkout"),
    ):
        answer = cart.ask(method, path)
        assert (answer.status_code, answer.json()) == (404, {"error": "There is no such cart."})
    assert cart.add().status_code == 404
    shopper = shop.sign_in()
    assert shopper.ask("PATCH", f"/cart/associate?guest_order_token={cart.token}").status_code == 404
    assert shop.guest().add().status_code == 200


def test_a_user_whose_cart_is_ordered_has_none_until_they_make_one(shop: Shop) -> None:
    shopper = shop.sign_in()
    shopper.cart().ordered()
    assert shopper.ask("GET", "/cart").status_code == 404
    assert shopper.cart().look()["item_count"] == 0


def test_an_order_token_alone_opens_cart_and_checkout(shop: Shop) -> None:
    """Sentence 4: "allows you to perform operations on the cart and checkout for that order"."""
    cart = shop.guest()
    assert cart.ordered()["attributes"]["state"] == "complete"


def test_a_user_token_alone_does_too(shop: Shop) -> None:
    """Sentence 3."""
    shopper = shop.sign_in()
    shopper.ask("POST", "/cart")
    shopper.ask("POST", "/cart/add_item", {"variant_id": "B200", "quantity": 1})
    order = {"ship_address_attributes": ADDRESS, "payment_method": "paypal"}
    assert shopper.ask("PATCH", "/checkout", {"order": order}).status_code == 200
    answer = shopper.ask("PATCH", "/checkout/complete")
    assert answer.status_code == 200, answer.text
    # The address is that of the account where the checkout names none.
    assert answer.json()["data"]["attributes"]["email"] == shopper.email


@pytest.mark.parametrize(
    ("missing", "field"),
    [("email", "email"), ("ship_address_attributes", "ship_address"), ("payment_method", "payment_method")],
)
def test_an_order_needs_everything_and_says_what_is_missing(shop: Shop, missing: str, field: str) -> None:
    cart = shop.guest()
    cart.add()
    cart.check_out(**{missing: None})
    answer = cart.complete()
    assert answer.status_code == 422
    assert answer.json() == {"error": f"{field} is missing.", "errors": {field: ["is missing"]}}
    assert cart.look()["item_count"] == 1


def test_an_empty_cart_is_no_order(shop: Shop) -> None:
    cart = shop.guest()
    cart.check_out()
    assert cart.complete().json()["errors"] == {"line_items": ["must not be empty"]}


def test_the_state_tells_what_the_checkout_waits_for(shop: Shop) -> None:
    cart = shop.guest()
    states = [cart.look()["state"]]
    for changed in ({"email": "ada@example.com"}, {"ship_address_attributes": ADDRESS}, {"payment_method": "paypal"}):
        cart.ask("PATCH", "/checkout", {"order": changed})
        states.append(cart.look()["state"])
    assert states == ["cart", "cart", "payment", "confirm"]


def test_what_is_not_sent_stays(shop: Shop) -> None:
    cart = shop.guest()
    cart.check_out(special_instructions="Ring twice,\nplease.")
    cart.ask("PATCH", "/checkout", {"order": {"email": "Grace@Example.com"}})
    attributes = cart.look()
    assert attributes["email"] == "grace@example.com"
    assert attributes["special_instructions"] == "Ring twice,\nplease."
    included = cart.ask("GET", "/cart?include=shipping_address").json()["included"]
    assert included[0]["attributes"]["firstname"] == "Ada"


def test_a_payment_may_be_chosen_in_the_other_shape(shop: Shop) -> None:
    cart = shop.guest()
    cart.add()
    cart.check_out(payment_method=None, payments_attributes=[{"payment_method_id": "paypal"}])
    order = service_of(shop).read(cart.complete().json()["data"]["id"]).json()
    assert order["payment_method"] == "paypal"


@pytest.mark.parametrize(
    ("order", "field"),
    [
        pytest.param({"email": "nobody"}, "email", id="no address"),
        pytest.param({"payment_method": "barter"}, "payment_method", id="an unknown method"),
        pytest.param(
            {"ship_address_attributes": {**ADDRESS, "country_iso": "XX"}}, "ship_address.country_iso", id="XX"
        ),
        pytest.param({"ship_address_attributes": {**ADDRESS, "city": " "}}, "ship_address.city", id="a blank city"),
        pytest.param({"ship_address_attributes": {**ADDRESS, "city": "a\0"}}, "ship_address.city", id="NUL"),
        pytest.param({"ship_address_attributes": {}}, "ship_address.address1", id="nothing in it"),
        pytest.param({"bill_address_attributes": {**ADDRESS, "zipcode": "1" * 21}}, "bill_address.zipcode", id="long"),
        pytest.param({"special_instructions": "x" * 1001}, "special_instructions", id="a long note"),
    ],
)
@on_postgresql_alone("mall")
def test_details_that_cannot_be_are_refused_by_name(shop: Shop, order: dict[str, Any], field: str) -> None:
    cart = shop.guest()
    answer = cart.ask("PATCH", "/checkout", {"order": order})
    assert answer.status_code == 422, answer.text
    assert field in answer.json()["errors"]


def test_what_is_null_is_left_empty(shop: Shop) -> None:
    cart = shop.guest()
    cart.add()
    nothing = dict.fromkeys(("company", "address2", "phone", "state_name", "firstname"))
    assert cart.check_out(ship_address_attributes={**ADDRESS, **nothing}).status_code == 200
    order = service_of(shop).read(cart.complete().json()["data"]["id"]).json()
    assert order["shipping_address"]["street"] == "12 St James's Square"
    assert order["shipping_address"]["state"] == ""


def test_a_countrys_code_may_have_three_letters_and_small_ones(shop: Shop) -> None:
    cart = shop.guest()
    cart.check_out(ship_address_attributes={**ADDRESS, "country_iso": "usa"})
    (address,) = cart.ask("GET", "/cart?include=shipping_address").json()["included"]
    assert address["attributes"]["country_iso"] == "US"
    assert address["attributes"]["country_iso3"] == "USA"
    assert address["attributes"]["country_name"] == "United States"


def test_stock_is_not_sold_twice(shop: Shop) -> None:
    """Six at once for five: each of them is told the truth, and so is the shelf."""
    shop.add_product("LAST", 500, 5)
    carts = [shop.guest() for _ in range(6)]
    for cart in carts:
        assert cart.add("LAST").status_code == 200
        cart.check_out()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda cart: cart.complete(), carts))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [422]
    assert shop.stock("LAST") == 0
    refused = next(answer for answer in answers if answer.status_code == 422)
    assert refused.json()["errors"] == {"line_items": ["has more of Product LAST than there is in stock"]}
    assert int(service_of(shop).list().headers["x-total-count"]) == 5


def test_one_cart_completed_many_times_at_once_is_one_order(shop: Shop) -> None:
    cart = shop.guest()
    cart.add("A100", 3)
    cart.check_out()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: cart.complete(), range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] + [404] * 5
    assert shop.stock("A100") == 997
    assert int(service_of(shop).list().headers["x-total-count"]) == 1


def test_carts_with_the_same_goods_in_another_order_do_not_wait_for_each_other_for_ever(shop: Shop) -> None:
    carts = [shop.guest() for _ in range(8)]
    for at, cart in enumerate(carts):
        for variant in ("A100", "B200") if at % 2 else ("B200", "A100"):
            cart.add(variant)
        cart.check_out()
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda cart: cart.complete().status_code, carts))
    assert statuses == [200] * 8
    assert (shop.stock("A100"), shop.stock("B200")) == (992, 992)


def test_an_item_added_while_the_order_is_made_is_in_it_or_refused(shop: Shop) -> None:
    for _ in range(3):
        cart = shop.guest()
        cart.add("A100")
        cart.check_out()
        with ThreadPoolExecutor(2) as pool:
            completing, adding = pool.submit(cart.complete), pool.submit(cart.add, "B200")
            ordered, added = completing.result(), adding.result()
        count = ordered.json()["data"]["attributes"]["item_count"]
        assert (added.status_code, count) in {(200, 2), (404, 1)}


def test_whoever_works_in_the_shop_buys_as_themselves(shop: Shop) -> None:
    clerk = shop.sign_in()
    user_id = clerk.user.id

    def promote(unit: Unit) -> None:
        membership = find_membership(unit, store_id=shop.store.id, user_id=user_id)
        assert membership is not None
        membership.role, membership.customer_id = "staff", "S-1"
        unit.session.add(membership)

    shop.world.transact(promote)
    shop.guest().ordered()
    mine = clerk.cart().ordered()
    assert service_of(shop).read(mine["id"]).json()["customer_id"] == "S-1"
    assert [order["id"] for order in clerk.ask("GET", "/account/orders").json()["data"]] == [mine["id"]]


def test_a_guest_who_names_somebody_elses_address_gets_nowhere_near_their_account(shop: Shop) -> None:
    shopper = shop.sign_in()
    cart = shop.guest()
    cart.add()
    cart.check_out(email=shopper.email)
    assert cart.complete().status_code == 200
    assert shopper.ask("GET", "/account/orders").json()["data"] == []
