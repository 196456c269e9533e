"""A customer makes, replaces and revokes the API password of a store that allows it."""

import re

import httpx
import pytest

from authsrv.identity.customer_api import allow_customer, get_customer, withdraw_customer
from tests.people import Person, forms_of
from tests.support.world import World

UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


class Holder(Person):
    """A customer of one store, at their account page."""

    prefix: str

    @classmethod
    def of(cls, world: World, *, allowed: bool = True) -> "Holder":
        prefix = world.add_store().prefix
        person = cls.signed_in(world, stores=(prefix,))
        assert isinstance(person, Holder)
        person.prefix = prefix
        if allowed:
            person.permit(allowed=True)
        return person

    def permit(self, *, allowed: bool) -> None:
        decide = allow_customer if allowed else withdraw_customer
        self.world.transact(lambda unit: decide(unit, get_customer(unit, self.email, self.prefix), actor="test"))

    def press(self, page: httpx.Response, action: str) -> httpx.Response:
        """Sends the form that goes there."""
        form = next(at for at, form in enumerate(forms_of(page)) if form.action.endswith(action))
        return self.send(page, form=form)

    def make(self) -> dict[str, str]:
        """The pair that the page shows after its button was pressed."""
        return pair_in(self.press(self.visit("/account"), "/account/api-password"))

    def ask_for_token(self, pair: dict[str, str]) -> httpx.Response:
        form = {"grant_type": "client_credentials", **pair}
        return self.world.http.post("/oauth/token", data=form)


def pair_in(page: httpx.Response) -> dict[str, str]:
    assert page.status_code == 200, page.text
    assert page.headers["cache-control"] == "no-store"
    found = dict(re.findall(rf"(client_id|client_secret)\s+({UUID4})", page.text))
    assert set(found) == {"client_id", "client_secret"}
    return found


def test_who_may_not_is_shown_nothing_of_it(world: World) -> None:
    assert "API password" not in Holder.of(world, allowed=False).visit("/account").text


def test_a_pair_is_shown_once_and_works(world: World) -> None:
    """Sentence 17 of the document that the Customer API follows."""
    holder = Holder.of(world)
    assert "You have not made one yet." in holder.visit("/account").text
    pair = holder.make()
    assert holder.ask_for_token(pair).status_code == 200
    again = holder.visit("/account").text
    assert pair["client_id"] in again
    assert pair["client_secret"] not in again


def test_a_new_pair_ends_the_one_before_and_its_tokens(world: World) -> None:
    holder = Holder.of(world)
    first = holder.make()
    bearer = {"Authorization": f"Bearer {holder.ask_for_token(first).json()['access_token']}"}
    assert world.http.get("/orders", headers=bearer).status_code == 200
    second = holder.make()
    assert {*first.values()}.isdisjoint(second.values())
    assert holder.ask_for_token(first).status_code == 401
    assert world.http.get("/orders", headers=bearer).status_code == 401
    assert holder.ask_for_token(second).status_code == 200


def test_a_revoked_pair_is_dead_and_another_can_be_made(world: World) -> None:
    holder = Holder.of(world)
    pair = holder.make()
    revoked = holder.press(holder.visit("/account"), "/account/api-password/revoke")
    assert "The API password was revoked." in revoked.text
    assert holder.ask_for_token(pair).status_code == 401
    assert "You have not made one yet." in revoked.text
    assert holder.ask_for_token(holder.make()).status_code == 200


def test_the_form_sent_twice_makes_one(world: World) -> None:
    holder = Holder.of(world)
    page = holder.visit("/account")
    pair = pair_in(holder.press(page, "/account/api-password"))
    assert holder.press(page, "/account/api-password").status_code == 409
    assert holder.ask_for_token(pair).status_code == 200


def test_who_was_withdrawn_meanwhile_is_told_and_gets_none(world: World) -> None:
    holder = Holder.of(world)
    page = holder.visit("/account")
    holder.permit(allowed=False)
    refused = holder.press(page, "/account/api-password")
    assert refused.status_code == 403
    assert "This shop allows no API password" in refused.text


def test_a_withdrawn_pair_works_again_when_it_is_allowed_again_and_its_tokens_do_not(world: World) -> None:
    holder = Holder.of(world)
    pair = holder.make()
    bearer = {"Authorization": f"Bearer {holder.ask_for_token(pair).json()['access_token']}"}
    holder.permit(allowed=False)
    assert holder.ask_for_token(pair).status_code == 401
    holder.permit(allowed=True)
    assert world.http.get("/orders", headers=bearer).status_code == 401
    assert holder.ask_for_token(pair).status_code == 200


@pytest.mark.parametrize("action", ["/account/api-password", "/account/api-password/revoke"])
def test_nobody_touches_another_stores_or_persons(world: World, action: str) -> None:
    holder, stranger = Holder.of(world), Holder.of(world)
    pair = holder.make()
    form = next(form for form in forms_of(stranger.visit("/account")) if form.action.endswith("/account/api-password"))
    sent = {**dict(form.fields), "store": holder.prefix}
    answer = stranger.browser.post(action, data=sent)
    assert answer.status_code in {303, 403}
    assert holder.ask_for_token(pair).status_code == 200
    assert holder.browser.post(action, data={"store": holder.prefix}).status_code == 403
    assert holder.ask_for_token(pair).status_code == 200
