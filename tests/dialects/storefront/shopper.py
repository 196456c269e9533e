"""A shop's own frontend, and the people who buy there."""

import re
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from authsrv.storage.mails import Mail, list_mails
from authsrv.storage.prices import save_price
from authsrv.storage.products import Product, ProductValues, list_products_named, save_product
from authsrv.storage.stores import Store
from authsrv.storage.unit import Unit
from authsrv.storage.users import User, find_user
from tests.actors import bearer
from tests.support.world import World

ROOT = "/api/v2/storefront"
ADDRESS = {
    "firstname": "Ada",
    "lastname": "Lovelace",
    "address1": "12 St James's Square",
    "address2": "2nd floor",
    "city": "London",
    "state_name": "Greater London",
    "zipcode": "SW1Y 4JH",
    "phone": "+44 20 7946 0000",
    "country_iso": "GB",
}


def new_email() -> str:
    return f"{uuid4().hex[:12]}@example.com"


@dataclass
class Shop:
    """A store as its frontend sees it: named by the path, since no DNS is asked here."""

    world: World
    store: Store

    @classmethod
    def opened(cls, world: World, **values: Any) -> "Shop":
        return cls(world, world.add_store(**values))

    @property
    def root(self) -> str:
        return f"/stores/{self.store.prefix}{ROOT}"

    def ask(
        self, method: str, path: str, body: object = None, *, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        json: dict[str, Any] = {} if body is None else {"json": body}
        return self.world.http.request(method, self.root + path, headers=headers, **json)

    def auth(self, **user: object) -> httpx.Response:
        return self.ask("POST", "/auth", {"user": user})

    def mails(self, email: str) -> list[Mail]:
        """What this address was sent, the newest first."""
        return [mail for mail in self.world.transact(lambda unit: list_mails(unit, 500)) if mail.to == email]

    def code(self, email: str) -> str:
        """The code of the newest mail."""
        found = re.search(r"\b\d{6}\b", self.mails(email)[0].subject)
        assert found is not None
        return found[0]

    def ask_code(self, email: str, **names: str) -> str:
        assert self.auth(email=email, **names).json() == {"message": "Code sent"}
        return self.code(email)

    def sign_in(self, email: str | None = None, **names: str) -> "Shopper":
        """All the way to the tokens."""
        email = email or new_email()
        answer = self.auth(email=email, code=self.ask_code(email, **names))
        assert answer.status_code == 200, answer.text
        return Shopper(self, email, answer.json())

    def guest(self) -> "Cart":
        answer = self.ask("POST", "/cart")
        assert answer.status_code == 201, answer.text
        return Cart(self, answer.json())

    def add_product(self, product_id: str, price_minor: int, stock: int, **values: str) -> None:
        wanted = ProductValues(
            product_id=product_id,
            code=values.get("code", f"C-{product_id}"),
            brand=values.get("brand", "Harbour"),
            name=values.get("name", f"Product {product_id}"),
            price_minor=price_minor,
            stock=stock,
        )
        self.world.transact(lambda unit: save_product(unit, self.store.id, wanted))

    def stock(self, product_id: str) -> int:
        return self.world.transact(lambda unit: self._product(unit, product_id).stock)

    def set_price(self, email: str, product_id: str, price_minor: int) -> None:
        """This person's own price."""

        def work(unit: Unit) -> None:
            user = find_user(unit, email)
            assert user is not None
            save_price(unit, self._product(unit, product_id).id, user.id, price_minor)

        self.world.transact(work)

    def _product(self, unit: Unit, product_id: str) -> Product:
        return list_products_named(unit, self.store.id, [product_id])[0]


@dataclass
class Shopper:
    """Somebody who is signed in at a shop."""

    shop: Shop
    email: str
    tokens: dict[str, Any]

    @property
    def headers(self) -> dict[str, str]:
        return bearer(self.tokens["access_token"])

    @property
    def user(self) -> User:
        user = self.shop.world.transact(lambda unit: find_user(unit, self.email))
        assert user is not None
        return user

    def ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        return self.shop.ask(method, path, body, headers=self.headers)

    def refresh(self, token: str | None = None, email: str | None = None) -> httpx.Response:
        return self.shop.auth(email=email or self.email, refresh_token=token or self.tokens["refresh_token"])

    def cart(self) -> "Cart":
        answer = self.ask("POST", "/cart")
        assert answer.status_code == 201, answer.text
        return Cart(self.shop, answer.json())


@dataclass
class Cart:
    """A cart, and whoever holds its token."""

    shop: Shop
    document: dict[str, Any]
    header: str = "X-Vendo-Order-Token"
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def token(self) -> str:
        token: str = self.document["data"]["attributes"]["token"]
        return token

    @property
    def headers(self) -> dict[str, str]:
        return {self.header: self.token, **self.extra}

    def ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        return self.shop.ask(method, path, body, headers=self.headers)

    def look(self, path: str = "/cart") -> dict[str, Any]:
        """Its attributes now."""
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        attributes: dict[str, Any] = answer.json()["data"]["attributes"]
        return attributes

    def add(self, variant_id: str = "A100", quantity: int = 1) -> httpx.Response:
        return self.ask("POST", "/cart/add_item", {"variant_id": variant_id, "quantity": quantity})

    def lines(self) -> list[str]:
        data = self.ask("GET", "/cart").json()["data"]
        return [line["id"] for line in data["relationships"]["line_items"]["data"]]

    def check_out(self, **changed: object) -> httpx.Response:
        """Everything a checkout needs."""
        whole = {"email": "ada@example.com", "ship_address_attributes": ADDRESS, "payment_method": "credit_card"}
        order = {name: value for name, value in {**whole, **changed}.items() if value is not None}
        return self.ask("PATCH", "/checkout", {"order": order})

    def complete(self) -> httpx.Response:
        return self.ask("PATCH", "/checkout/complete")

    def ordered(self) -> dict[str, Any]:
        """From an empty cart to the order's document."""
        for answer in (self.add("A100", 2), self.check_out()):
            assert answer.status_code == 200, answer.text
        answer = self.complete()
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()["data"]
        return document
