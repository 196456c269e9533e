"""Each request and answer of the document, and of those it leaves to its API's own shapes, held by a file."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.dialects.storefront.shopper import Shop
from tests.support.golden import is_written_by_the_tests, judge, read_golden

GOLDEN = Path(__file__).with_name("golden")
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
PLACEHOLDERS = {
    "<id>": re.compile(UUID),
    "<line_id>": re.compile(rf"{UUID}-\d+"),
    "<ship_id>": re.compile(rf"{UUID}-shipping"),
    "<bill_id>": re.compile(rf"{UUID}-billing"),
    "<time>": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
    "<number>": re.compile(r"R\d{9}"),
    "<order token>": re.compile(r"ct_[A-Za-z0-9_-]{43,}"),
    "<token>": re.compile(r"[A-Za-z0-9_-]{43,}"),
    "<url>": re.compile(r"http://127\.0\.0\.1:\d+/stores/[a-z0-9]+/api/v2/storefront/.+"),
}
EMAIL = "golden@example.com"


class Story:
    """A shop in which the files are told one after the other; what one answers, the next may need."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.values: dict[str, str] = {"<email>": EMAIL}
        self.told: set[str] = set()

    def tell(self, name: str) -> Any:
        """Sends the file's request; the answer's body, once the file agrees with it."""
        story = read_golden(GOLDEN / f"{name}.json")
        asked, told = story["request"], story["answer"]
        headers = {}
        for header, value in asked.get("headers", {}).items():
            headers[header] = self._fill(value)
        answer = self.shop.world.http.request(
            asked["method"],
            self.shop.root + self._fill(asked["path"]),
            headers=headers,
            **({"json": self._fill_all(asked["body"])} if "body" in asked else {}),
        )
        assert answer.status_code == told["status"], answer.text
        self._judge(answer, told)
        self.told.add(name)
        return answer.json() if answer.content else None

    def _judge(self, answer: httpx.Response, told: Any) -> None:
        if told.get("body") is None:
            assert answer.content == b""
            return
        assert answer.headers["content-type"] == told["content_type"]
        found = answer.json()
        if isinstance(created_at := found.get("created_at"), int):
            assert created_at > 1_581_876_572
            found["created_at"] = 1_581_876_572
        judge(found, self._fill_all(told["body"]), PLACEHOLDERS)

    def _fill(self, text: str) -> str:
        for name, value in self.values.items():
            text = text.replace(name, value)
        return text

    def _fill_all(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._fill_all(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._fill_all(inner) for inner in value]
        return self._fill(value) if isinstance(value, str) else value


def files(*beginnings: str) -> set[str]:
    """The names of the golden files that begin so: each has to be told by a story."""
    return {path.stem for path in GOLDEN.glob("*.json") if path.stem.startswith(beginnings)}


def test_signing_in_is_as_the_document_prints_it(shop: Shop) -> None:
    """Sentences 5 to 13, 17 and 18."""
    story = Story(shop)
    story.values["<email>"] = f"{shop.store.prefix}@example.com"
    story.tell("auth_code")
    story.tell("auth_code_names")
    story.values["<code>"] = shop.code(story.values["<email>"])
    for name in ("auth_tokens", "auth_refresh"):
        tokens = story.tell(name)
        story.values.update({f"<{kind}>": tokens[kind] for kind in ("access_token", "refresh_token")})
    story.tell("auth_wrong_code")
    story.tell("account")
    story.tell("account_change")
    story.tell("auth_delete_access")
    story.tell("account_refused")
    story.tell("auth_delete_refresh")
    story.tell("auth_refresh_refused")
    assert story.told == files("auth", "account") - {"account_orders"}


def test_a_cart_is_as_the_document_prints_it(shop: Shop) -> None:
    """Sentences 20 to 24, down to the order."""
    story = Story(shop)
    story.values["<order_token>"] = story.tell("cart_create")["data"]["attributes"]["token"]
    story.tell("cart_read")
    filled = story.tell("cart_add_item")
    story.values["<line_item_id>"] = filled["data"]["relationships"]["line_items"]["data"][0]["id"]
    story.tell("cart_set_quantity")
    story.tell("cart_too_many")
    story.tell("checkout_incomplete")
    story.tell("checkout")
    story.tell("checkout_complete")
    story.tell("cart_gone")
    assert story.told == files("cart", "checkout")


def test_the_catalogue_is_in_the_apis_own_shape(shop: Shop) -> None:
    story = Story(shop)
    story.tell("products")
    story.tell("product")
    story.tell("product_unknown")
    assert story.told == files("product")


def test_the_orders_of_an_account_are_too(shop: Shop) -> None:
    story = Story(shop)
    shopper = shop.sign_in()
    story.values["<access_token>"] = shopper.tokens["access_token"]
    story.values["<email>"] = shopper.email
    shopper.cart().ordered()
    assert [order["type"] for order in story.tell("account_orders")["data"]] == ["cart"]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: str(path.stem))
def test_a_file_is_written_as_the_tests_would_write_it(path: Path) -> None:
    assert is_written_by_the_tests(path)


def test_the_document_of_a_cart_has_every_attribute_that_is_printed_and_in_that_order() -> None:
    """Sentence 21."""
    printed = read_golden(GOLDEN / "cart_create.json")["answer"]["body"]["data"]
    assert list(printed) == ["id", "type", "attributes", "relationships"]
    assert list(printed["attributes"]) == [
        "number",
        "item_total",
        "total",
        "ship_total",
        "adjustment_total",
        "created_at",
        "updated_at",
        "completed_at",
        "included_tax_total",
        "additional_tax_total",
        "display_additional_tax_total",
        "display_included_tax_total",
        "tax_total",
        "currency",
        "state",
        "token",
        "email",
        "display_item_total",
        "display_ship_total",
        "display_adjustment_total",
        "display_tax_total",
        "promo_total",
        "display_promo_total",
        "item_count",
        "special_instructions",
        "display_total",
        "pre_tax_item_amount",
        "display_pre_tax_item_amount",
        "pre_tax_total",
        "display_pre_tax_total",
        "shipment_state",
        "payment_state",
    ]
