"""A customer of a store with a program of their own, which speaks the Customer API."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from authsrv.identity.customer_api import Customer, allow_customer, get_customer, make_password, withdraw_customer
from authsrv.kit.entropy import SystemEntropy
from authsrv.storage.unit import Unit
from tests.people import Person
from tests.support.world import World

TOKEN_PATH = "/api/customer/oauth/access-token"


@dataclass
class Shopper:
    """`pair` is their API password, as a form sends it."""

    world: World
    prefix: str
    person: Person
    pair: dict[str, str]
    _bearer: dict[str, str] = field(default_factory=dict)

    @classmethod
    def allowed(cls, world: World, *, prefix: str | None = None, role: str = "customer") -> "Shopper":
        """In a store of their own, unless `prefix` names one."""
        prefix = prefix or world.add_store().prefix
        person = Person.signed_in(world, stores=(prefix,), role=role)
        shopper = cls(world, prefix, person, {})
        shopper.permit()
        shopper.make_password()
        return shopper

    def permit(self) -> None:
        """The store allows them the API."""
        self.world.transact(lambda unit: allow_customer(unit, self._customer(unit), actor="test"))

    def withdraw(self) -> None:
        """And takes it back."""
        self.world.transact(lambda unit: withdraw_customer(unit, self._customer(unit), actor="test"))

    def make_password(self) -> None:
        def work(unit: Unit) -> dict[str, str]:
            made = make_password(unit, self._customer(unit), entropy=SystemEntropy(), actor="test")
            return {"client_id": made.client_id, "client_secret": made.client_secret}

        self.pair = self.world.transact(work)

    def ask_for_token(self, **form: str) -> httpx.Response:
        """The request of the document; a field that is empty is left out."""
        wanted = {"grant_type": "client_credentials", **self.pair, "scope": "all", **form}
        return self.post_form({name: value for name, value in wanted.items() if value})

    def post_form(self, form: dict[str, str], **headers: str) -> httpx.Response:
        return self.world.http.post(f"/stores/{self.prefix}{TOKEN_PATH}", data=form, headers=headers)

    def get_token(self, **form: str) -> str:
        answer = self.ask_for_token(**form)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token

    @property
    def bearer(self) -> dict[str, str]:
        """The header with their token, which they keep."""
        if not self._bearer:
            self._bearer = {"Authorization": f"Bearer {self.get_token()}"}
        return self._bearer

    def call(
        self, method: str, path: str, *, token: str | None = None, prefix: str | None = None, **values: Any
    ) -> httpx.Response:
        """Asks the API in their store, or in another; with their token, or another."""
        own = {"Authorization": f"Bearer {token}"} if token is not None else self.bearer
        headers = {**own, **values.pop("headers", {})}
        url = f"/stores/{prefix or self.prefix}/api/customer{path}"
        return self.world.http.request(method, url, headers=headers, **values)

    def order(self, *products: tuple[str, int], **body: object) -> httpx.Response:
        wanted = [{"code": code, "quantity": quantity} for code, quantity in products]
        return self.call("POST", "/orders", json={"products": wanted, **body})

    def list(self, **query: str | int) -> httpx.Response:
        return self.call("GET", "/orders", params=query)

    def _customer(self, unit: Unit) -> Customer:
        return get_customer(unit, self.person.email, self.prefix)
