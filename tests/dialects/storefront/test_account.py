"""The account of who is signed in: their name, their orders, and nobody else's."""

import pytest

from tests.actors import Service, bearer, order_of
from tests.dialects.storefront.shopper import Shop
from tests.people import App, Person


def test_the_token_in_the_header_opens_the_account(shop: Shop) -> None:
    """Sentences 13 and 14: "You need to pass access_token as Authorization: Bearer <access_token>"."""
    shopper = shop.sign_in(first_name="Ada", last_name="Lovelace")
    answer = shopper.ask("GET", "/account")
    assert answer.headers["content-type"] == "application/vnd.api+json"
    data = answer.json()["data"]
    assert (data["type"], data["id"]) == ("user", str(shopper.user.id))
    shown = {name: data["attributes"][name] for name in ("email", "first_name", "last_name", "completed_orders")}
    assert shown == {"email": shopper.email, "first_name": "Ada", "last_name": "Lovelace", "completed_orders": 0}
    # In the query it would stand in logs, so there it is none (RFC 9700, 4.3.2).
    assert shop.ask("GET", f"/account?access_token={shopper.tokens['access_token']}").status_code == 401


def test_names_are_changed_each_by_itself(shop: Shop) -> None:
    shopper = shop.sign_in(first_name="Ada", last_name="Byron")

    def names(**user: str) -> tuple[str, str]:
        answer = shopper.ask("PATCH", "/account", {"user": user})
        assert answer.status_code == 200, answer.text
        attributes = answer.json()["data"]["attributes"]
        return attributes["first_name"], attributes["last_name"]

    assert names(last_name="King Noel") == ("Ada", "King Noel")
    assert names(first_name="Augusta Ada") == ("Augusta Ada", "King Noel")
    assert names(first_name="") == ("", "King Noel")
    assert names(first_name="Ada", last_name="") == ("Ada", "")
    assert names() == ("Ada", "")
    # What is null was not sent.
    assert shopper.ask("PATCH", "/account", {"user": {"first_name": None}}).status_code == 200
    assert shopper.user.name == "Ada"


def test_names_that_are_too_long_together_keep_the_last_one_whole(shop: Shop) -> None:
    shopper = shop.sign_in(first_name="A" * 100, last_name="B" * 100)
    attributes = shopper.ask("GET", "/account").json()["data"]["attributes"]
    assert (attributes["first_name"], attributes["last_name"]) == ("A" * 99, "B" * 100)
    changed = shopper.ask("PATCH", "/account", {"user": {"first_name": "C" * 100}})
    assert changed.status_code == 200
    assert changed.json()["data"]["attributes"]["first_name"] == "C" * 99


def test_the_address_that_signs_in_is_not_changed_here(shop: Shop) -> None:
    shopper = shop.sign_in()
    assert shopper.ask("PATCH", "/account", {"user": {"email": shopper.email.upper()}}).status_code == 200
    refused = shopper.ask("PATCH", "/account", {"user": {"email": "mallory@example.com", "first_name": "M"}})
    assert (refused.status_code, refused.json()["errors"]) == (422, {"email": ["cannot be changed here"]})
    assert shopper.user.name == ""


@pytest.mark.parametrize("name", ["a\0b", "x" * 101, 7, ["a"]])
def test_a_name_that_cannot_be_is_refused(corner_shop: Shop, name: object) -> None:
    shopper = corner_shop.sign_in()
    assert shopper.ask("PATCH", "/account", {"user": {"first_name": name}}).status_code == 422


def test_another_app_may_look_and_not_write(shop: Shop) -> None:
    person = Person.signed_in(shop.world, stores=(shop.store.prefix,), name="Ada Lovelace")
    app = App.registered(shop.world, store=shop.store.prefix, scope="openid account:read")
    headers = bearer(app.log_in(person, scope="openid account:read")["access_token"])
    seen = shop.ask("GET", "/account", headers=headers)
    assert seen.json()["data"]["attributes"]["first_name"] == "Ada"
    assert shop.ask("PATCH", "/account", {"user": {"first_name": "M"}}, headers=headers).status_code == 403
    assert shop.ask("GET", "/account/orders", headers=headers).status_code == 403


def test_orders_are_listed_newest_first_whatever_way_they_came(shop: Shop) -> None:
    shopper = shop.sign_in()
    by_cart = shopper.cart().ordered()
    service = Service.hired(shop.world, store=shop.store.prefix)
    placed = service.place(order_of(("B200", 1), customer_id=str(shopper.user.id))).json()["order_id"]
    listed = shopper.ask("GET", "/account/orders?include=line_items,shipping_address").json()
    assert [each["id"] for each in listed["data"]] == [placed, by_cart["id"]]
    assert [each["attributes"]["email"] for each in listed["data"]] == [shopper.email, "ada@example.com"]
    assert listed["data"][1]["attributes"] | {"updated_at": ""} == by_cart["attributes"] | {"updated_at": ""}
    streets = [each["attributes"]["address1"] for each in listed["included"] if each["type"] == "address"]
    assert streets == ["123 Main St", "12 St James's Square"]
    assert listed["meta"] == {"count": 2, "total_count": 2, "total_pages": 1}


def test_orders_come_in_pages(shop: Shop) -> None:
    shopper = shop.sign_in()
    ids = [shopper.cart().ordered()["id"] for _ in range(3)][::-1]
    first = shopper.ask("GET", "/account/orders?per_page=2").json()
    assert [each["id"] for each in first["data"]] == ids[:2]
    assert first["meta"] == {"count": 2, "total_count": 3, "total_pages": 2}
    following = shop.world.http.get(first["links"]["next"], headers=shopper.headers).json()
    assert [each["id"] for each in following["data"]] == ids[2:]


def test_what_became_of_an_order_is_told(shop: Shop) -> None:
    shopper = shop.sign_in()
    order_id = shopper.cart().ordered()["id"]
    service = Service.hired(shop.world, store=shop.store.prefix)

    def states() -> tuple[str, str, str]:
        attributes = shopper.ask("GET", "/account/orders").json()["data"][0]["attributes"]
        return attributes["state"], attributes["shipment_state"], attributes["payment_state"]

    seen = [states()]
    for status in ("processing", "shipped", "delivered"):
        answer = shop.world.http.put(f"/orders/{order_id}", json={"status": status}, headers=service.bearer)
        assert answer.status_code == 200, answer.text
        seen.append(states())
    assert seen == [
        ("complete", "pending", "balance_due"),
        ("complete", "ready", "paid"),
        ("complete", "shipped", "paid"),
        ("complete", "shipped", "paid"),
    ]
    cancelled = shopper.cart().ordered()["id"]
    shop.world.http.delete(f"/orders/{cancelled}", headers=service.bearer)
    assert states() == ("canceled", "canceled", "void")
