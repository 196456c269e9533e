"""Carts: whose they are, who may touch them, and what is in them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from authsrv.storage.carts import prune_carts
from authsrv.storage.stores import add_store
from tests.actors import Service, bearer
from tests.dialects.storefront.shopper import Cart, Shop
from tests.engines import on_postgresql_alone
from tests.flows.test_tokens_cost import cost_of
from tests.people import App, Person
from tests.support.databases import migrate_with_keys
from tests.support.world import ManualClock, World

GONE = {"error": "There is no such cart."}
NO_TOKEN = {"error": "The order token is none."}


def test_public_information_needs_no_authentication(shop: Shop) -> None:
    """Sentence 1: "Most of the Storefront API endpoints do not require authentication"."""
    assert shop.ask("GET", "/products").status_code == 200
    assert shop.ask("GET", "/products/A100").status_code == 200
    assert shop.ask("POST", "/cart").status_code == 201


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/account"),
        ("PATCH", "/account"),
        ("GET", "/account/orders"),
        ("GET", "/cart"),
        ("DELETE", "/cart"),
        ("POST", "/cart/add_item"),
        ("PATCH", "/cart/set_quantity"),
        ("DELETE", "/cart/remove_line_item/x"),
        ("PATCH", "/cart/empty"),
        ("PATCH", "/cart/associate"),
        ("PATCH", "/checkout"),
        ("PATCH", "/checkout/complete"),
    ],
)
def test_account_and_checkout_need_a_token(corner_shop: Shop, method: str, path: str) -> None:
    """Sentence 2: "some sections such as account or checkout do require some form of authentication"."""
    for headers in ({}, bearer("made-up"), bearer("at_AAAA")):
        answer = corner_shop.ask(method, path, headers=headers)
        assert answer.status_code == 401, answer.text
        assert list(answer.json()) == ["error"]
        assert answer.headers["content-type"] == "application/vnd.api+json"
    challenge = corner_shop.ask("GET", "/account").headers["www-authenticate"]
    assert challenge.startswith("Bearer ")


@pytest.mark.parametrize("header", ["X-Vendo-Order-Token", "X-Spree-Order-Token", "x-vendo-order-token"])
def test_the_token_of_a_cart_opens_it_and_no_other(shop: Shop, header: str) -> None:
    """Sentences 19, 22 and 23: "to access the cart and checkout for a specific order"."""
    mine, other = shop.guest(), shop.guest()
    mine.header = header
    assert mine.add("A100", 3).status_code == 200
    assert mine.look()["item_count"] == 3
    assert other.look()["item_count"] == 0
    assert mine.look()["token"] == mine.token != other.token


@pytest.mark.parametrize("token", ["", "zTEpsukRq_yEUcXVCSv0uw1632867307450", "ct_AAAA", "ct_" + "A" * 60])
def test_an_order_token_that_is_none_opens_nothing(corner_shop: Shop, token: str) -> None:
    answer = corner_shop.ask("GET", "/cart", headers={"X-Vendo-Order-Token": token})
    assert (answer.status_code, answer.json()) == (401, NO_TOKEN)


def test_a_token_for_something_else_is_no_order_token(shop: Shop) -> None:
    shopper = shop.sign_in()
    for token in (shopper.tokens["access_token"], shopper.tokens["refresh_token"]):
        answer = shop.ask("GET", "/cart", headers={"X-Vendo-Order-Token": token})
        assert answer.status_code == 401
    answer = shop.ask("GET", "/account", headers=bearer(shop.guest().token))
    assert answer.status_code == 401


def test_an_order_token_opens_nothing_in_another_shop(shop: Shop) -> None:
    cart = shop.guest()
    answer = Shop.opened(shop.world).ask("GET", "/cart", headers=cart.headers)
    assert (answer.status_code, answer.json()) == (404, GONE)


def test_a_cart_made_with_a_user_token_is_the_users(shop: Shop) -> None:
    """Sentence 15: "creating a cart with a user token it will auto-assign this cart to the user"."""
    shopper = shop.sign_in()
    assert shopper.ask("GET", "/cart").json() == GONE
    cart = shopper.cart()
    assert cart.document["data"]["relationships"]["user"]["data"] == {"id": str(shopper.user.id), "type": "user"}
    assert cart.document["data"]["attributes"]["email"] == shopper.email
    assert shopper.ask("POST", "/cart/add_item", {"variant_id": "A100"}).status_code == 200
    assert shopper.ask("GET", "/cart").json()["data"]["id"] == cart.document["data"]["id"]
    assert cart.look()["item_count"] == 1


def test_the_cart_of_a_user_is_the_one_they_changed_last(shop: Shop) -> None:
    shopper = shop.sign_in()
    first, second = shopper.cart(), shopper.cart()
    assert shopper.ask("GET", "/cart").json()["data"]["id"] == second.document["data"]["id"]
    first.add()
    assert shopper.ask("GET", "/cart").json()["data"]["id"] == first.document["data"]["id"]


def test_a_users_cart_stays_closed_to_who_is_signed_in_as_another(shop: Shop) -> None:
    owner, other = shop.sign_in(), shop.sign_in()
    cart = owner.cart()
    cart.extra = other.headers
    assert cart.ask("GET", "/cart").json() == GONE
    cart.extra = owner.headers
    assert cart.ask("GET", "/cart").status_code == 200


def test_a_guests_cart_is_joined_by_who_proves_both(shop: Shop) -> None:
    shopper, cart = shop.sign_in(), shop.guest()
    cart.add("B200", 2)
    joined = shopper.ask("PATCH", f"/cart/associate?guest_order_token={cart.token}")
    assert joined.status_code == 200, joined.text
    assert joined.json()["data"]["attributes"]["email"] == shopper.email
    assert shopper.ask("GET", "/cart").json()["data"]["attributes"]["item_count"] == 2
    # Once more changes nothing; another cannot have it any more.
    assert shopper.ask("PATCH", "/cart/associate", {"guest_order_token": cart.token}).status_code == 200
    refused = shop.sign_in().ask("PATCH", "/cart/associate", {"guest_order_token": cart.token})
    assert refused.status_code == 422
    assert list(refused.json()["errors"]) == ["guest_order_token"]


def test_nobody_joins_a_cart_with_one_proof_of_two(shop: Shop) -> None:
    shopper, cart = shop.sign_in(), shop.guest()
    assert shop.ask("PATCH", f"/cart/associate?guest_order_token={cart.token}").status_code == 401
    assert shopper.ask("PATCH", "/cart/associate").status_code == 422
    assert shopper.ask("PATCH", "/cart/associate?guest_order_token=ct_AAAA").status_code == 401
    number = cart.document["data"]["attributes"]["number"]
    assert shopper.ask("PATCH", f"/cart/associate?guest_order_token={number}").status_code == 401
    # Being signed in beside a guest's cart is not asking for it.
    cart.extra = shopper.headers
    assert cart.add().json()["data"]["relationships"]["user"]["data"] is None


def test_two_who_race_for_a_guests_cart_do_not_both_get_it(shop: Shop) -> None:
    cart, people = shop.guest(), [shop.sign_in() for _ in range(4)]
    path = f"/cart/associate?guest_order_token={cart.token}"
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda one: one.ask("PATCH", path).status_code, people))
    assert sorted(statuses) == [200, 422, 422, 422]


def test_items_are_added_changed_and_removed(shop: Shop) -> None:
    cart = shop.guest()
    assert cart.add("A100", 2).json()["data"]["attributes"]["item_total"] == "28.0"
    assert cart.add("A100", 1).json()["data"]["attributes"]["item_count"] == 3
    assert cart.add("B200").json()["data"]["attributes"]["display_item_total"] == "$60.50"
    mug, bowl = cart.lines()
    changed = cart.ask("PATCH", "/cart/set_quantity", {"line_item_id": mug, "quantity": 1})
    assert changed.json()["data"]["attributes"]["item_total"] == "32.5"
    by_variant = cart.ask("PATCH", "/cart/set_quantity", {"variant_id": "B200", "quantity": "3"})
    assert by_variant.json()["data"]["attributes"]["item_total"] == "69.5"
    removed = cart.ask("DELETE", f"/cart/remove_line_item/{mug}")
    assert removed.json()["data"]["attributes"]["item_total"] == "55.5"
    assert cart.lines() == [bowl]


def test_a_cart_is_emptied_and_goes_on(shop: Shop) -> None:
    cart = shop.guest()
    cart.add("A100", 2)
    emptied = cart.ask("PATCH", "/cart/empty")
    assert (emptied.status_code, emptied.json()["data"]["attributes"]["item_count"]) == (200, 0)
    assert cart.add("B200").json()["data"]["attributes"]["item_count"] == 1


def test_a_cart_is_dropped_and_its_token_with_it(shop: Shop) -> None:
    cart = shop.guest()
    cart.add("A100", 2)
    dropped = cart.ask("DELETE", "/cart")
    assert (dropped.status_code, dropped.content) == (204, b"")
    for method, path in (("GET", "/cart"), ("DELETE", "/cart"), ("PATCH", "/checkout/complete")):
        answer = cart.ask(method, path)
        assert (answer.status_code, answer.json()) == (404, GONE)
    assert cart.add().status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        pytest.param("add_item", {"variant_id": "Z999"}, 404, None, id="an unknown variant"),
        pytest.param("add_item", {"variant_id": "A100\0"}, 422, "variant_id", id="NUL in a variant"),
        pytest.param("add_item", {}, 422, "variant_id", id="no variant"),
        pytest.param("add_item", {"variant_id": "A100", "quantity": 0}, 422, "quantity", id="none of it"),
        pytest.param("add_item", {"variant_id": "A100", "quantity": -1}, 422, "quantity", id="less than none"),
        pytest.param("add_item", {"variant_id": "A100", "quantity": 1.5}, 422, "quantity", id="one and a half"),
        pytest.param("add_item", {"variant_id": "A100", "quantity": 2**63}, 422, "quantity", id="2**63 of it"),
        pytest.param("add_item", {"variant_id": "A100", "quantity": 1001}, 422, "quantity", id="more than there are"),
        pytest.param("set_quantity", {"line_item_id": "x", "quantity": 1}, 404, None, id="no line"),
        pytest.param(
            "set_quantity", {"variant_id": "B200", "quantity": 1}, 404, None, id="a variant that is not in it"
        ),
        pytest.param("set_quantity", {"line_item_id": "x"}, 422, "quantity", id="no quantity"),
        pytest.param("set_quantity", {"quantity": 1}, 422, "line_item_id", id="no line and no variant"),
    ],
)
@on_postgresql_alone("mall")
def test_what_cannot_be_in_a_cart_is_refused_and_changes_nothing(
    shop: Shop, path: str, body: object, status: int, field: str | None
) -> None:
    cart = shop.guest()
    cart.add("A100", 2)
    answer = cart.ask("POST" if path == "add_item" else "PATCH", f"/cart/{path}", body)
    assert answer.status_code == status, answer.text
    assert list(answer.json().get("errors", {})) == ([field] if field else [])
    assert cart.look()["item_count"] == 2


def test_a_line_of_another_cart_is_none_of_this(shop: Shop) -> None:
    cart, other = shop.guest(), shop.guest()
    other.add("A100", 5)
    (foreign,) = other.lines()
    for answer in (
        cart.ask("DELETE", f"/cart/remove_line_item/{foreign}"),
        cart.ask("PATCH", "/cart/set_quantity", {"line_item_id": foreign, "quantity": 1}),
    ):
        assert answer.status_code == 404
    assert other.look()["item_count"] == 5


def test_changes_at_once_are_all_kept(shop: Shop) -> None:
    cart = shop.guest()
    cart.add("A100")
    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(lambda _: cart.add("A100").status_code, range(12)))
    assert set(statuses) == {200}
    assert cart.look()["item_count"] == 13


def test_looking_into_a_cart_costs_the_same_however_full_it_is(shop: Shop) -> None:
    shopper, cart = shop.sign_in(), shop.guest()
    cart.add("A100")
    cart.add("B200", 3)
    assert cost_of(shop.world, lambda: cart.ask("GET", "/cart"), at_most=2) == ["SELECT"] * 2
    mine = shopper.cart()
    mine.add("A100")
    # And one for prices of their own.
    assert cost_of(shop.world, lambda: shopper.ask("GET", "/cart"), at_most=3) == ["SELECT"] * 3


def test_money_is_shown_as_the_reader_writes_it(shop: Shop) -> None:
    euros = Shop.opened(shop.world, currency="EUR")
    cart = euros.guest()
    cart.add("A100", 100)
    for language, display in (("de-DE,de;q=0.9", "1.400,00\xa0€"), ("en", "€1,400.00"), ("xx", "€1,400.00")):
        cart.extra = {"Accept-Language": language}
        assert cart.look()["display_total"] == display
    assert cart.look("/cart?locale=fr")["display_total"] == "1\u202f400,00\xa0€"
    assert cart.look()["total"] == "1400.0"


@pytest.mark.parametrize(
    ("currency", "total", "display"),
    [("USD", "18.55", "$18.55"), ("JPY", "1855.0", "¥1,855"), ("KWD", "1.855", "KWD1.855")],
)
def test_each_currency_has_its_own_decimals(sqlite_mall: World, currency: str, total: str, display: str) -> None:
    prefix = f"c{uuid4().hex[:12]}"
    store = sqlite_mall.transact(lambda unit: add_store(unit, prefix=prefix, name="A shop", currency=currency))
    shop = Shop(sqlite_mall, store)
    shop.add_product("P1", 1855, 10)
    attributes = shop.guest().add("P1").json()["data"]["attributes"]
    assert (attributes["item_total"], attributes["display_item_total"]) == (total, display)


def test_prices_are_the_catalogues_now_and_never_the_callers(shop: Shop) -> None:
    cart = shop.guest()
    cart.ask("POST", "/cart/add_item", {"variant_id": "A100", "quantity": 1, "price": "0.01", "options": {"price": 1}})
    assert cart.look()["total"] == "14.0"
    shop.add_product("A100", 2000, 10)
    assert cart.look()["total"] == "20.0"


def test_another_apps_token_may_fill_a_cart_with_the_scope_and_not_without(shop: Shop) -> None:
    prefix = shop.store.prefix
    person = Person.signed_in(shop.world, stores=(prefix,))

    def headers(scope: str) -> dict[str, str]:
        app = App.registered(shop.world, store=prefix, scope=scope)
        return bearer(app.log_in(person, scope=scope)["access_token"])

    with_it, without = headers("openid cart"), headers("openid orders:read")
    assert shop.ask("POST", "/cart", headers=with_it).status_code == 201
    assert shop.ask("GET", "/cart", headers=with_it).status_code == 200
    for method, path in (("POST", "/cart"), ("GET", "/cart"), ("PATCH", "/checkout")):
        answer = shop.ask(method, path, headers=without)
        assert answer.status_code == 403
        assert answer.json() == {"error": "This needs the scope cart."}


def test_a_service_is_no_person_and_has_no_account(shop: Shop) -> None:
    service = Service.hired(shop.world, store=shop.store.prefix)
    assert shop.ask("GET", "/account", headers=service.bearer).status_code == 403


def test_a_token_of_one_shop_is_refused_at_another_and_on_the_issuers_host(shop: Shop) -> None:
    shopper, other = shop.sign_in(), Shop.opened(shop.world)

    def ask(root: str, method: str, path: str, host: str | None = None) -> httpx.Response:
        headers = {**shopper.headers, **({"Host": host} if host else {})}
        return shop.world.http.request(method, root + path, headers=headers)

    for method, path in (("GET", "/account"), ("POST", "/cart"), ("GET", "/products"), ("GET", "/account/orders")):
        refusals = [
            ask(other.root, method, path),
            ask("/api/v2/storefront", method, path),
            ask("/api/v2/storefront", method, path, f"{other.store.prefix}.localhost"),
        ]
        assert [refusal.status_code for refusal in refusals] == [403] * 3
        assert list(refusals[0].json()) == ["error"]
        own = ask("/api/v2/storefront", method, path, f"{shop.store.prefix}.localhost")
        assert own.status_code in {200, 201}


def test_a_cart_that_nobody_comes_back_to_is_forgotten(tmp_path: Path, clock: ManualClock) -> None:
    url = f"sqlite:///{tmp_path}/authsrv.db"
    migrate_with_keys(url)
    world = World(url, clock=clock, mail_url="outbox:")
    try:
        shop = Shop.opened(world)
        left, kept, ordered = shop.guest(), shop.guest(), shop.guest()
        left.add()
        ordered.ordered()
        clock.move(timedelta(days=29))
        kept.add()
        clock.move(timedelta(days=2))
        assert left.ask("GET", "/cart").json() == GONE
        assert kept.look()["item_count"] == 1
        assert world.transact(lambda unit: prune_carts(unit, 10)) == 1
        assert world.transact(lambda unit: prune_carts(unit, 10)) == 0
        assert kept.look()["item_count"] == 1
    finally:
        world.close()


def test_numbers_of_carts_are_their_shops_own(shop: Shop) -> None:
    carts: list[Cart] = [shop.guest() for _ in range(5)]
    numbers = {cart.document["data"]["attributes"]["number"] for cart in carts}
    assert len(numbers) == 5
    assert all(len(number) == 10 and number.startswith("R") and number[1:].isdigit() for number in numbers)
