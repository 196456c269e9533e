"""A shop's tokens: refreshed with the address they are for, taken back by anybody who holds them, seen in no log."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from authsrv.dialects.storefront.shop_client import client_id_of
from authsrv.storage.audit import list_audit_events
from authsrv.storage.clients import find_client, save_client
from authsrv.storage.grants import list_grants
from authsrv.storage.unit import Unit
from tests.actors import Service, bearer
from tests.dialects.storefront.shopper import Shop, Shopper, new_email
from tests.flows.test_tokens_cost import cost_of
from tests.people import Person, forms_of
from tests.support.databases import migrate_with_keys
from tests.support.world import ManualClock, World

REFUSED = {"error": "The refresh token is invalid, has expired, or is another person's."}


def is_living(shopper: Shopper) -> bool:
    status = shopper.ask("GET", "/account").status_code
    assert status in {200, 401}
    return status == 200


def test_a_refresh_brings_the_same_shape_and_other_tokens(shop: Shop) -> None:
    """Sentences 11 and 12: "the same format JSON response (but with different access and refresh token)"."""
    shopper = shop.sign_in()
    answer = shopper.refresh()
    assert answer.status_code == 200, answer.text
    fresh = answer.json()
    assert list(fresh) == list(shopper.tokens)
    assert fresh["access_token"] != shopper.tokens["access_token"]
    assert fresh["refresh_token"] != shopper.tokens["refresh_token"]
    assert is_living(Shopper(shop, shopper.email, fresh))
    # The one before lives on until it ends by itself.
    assert is_living(shopper)


def test_a_refresh_needs_the_address_that_the_token_is_for(shop: Shop) -> None:
    shopper, other = shop.sign_in(), shop.sign_in()
    for email in (other.email, new_email()):
        answer = shopper.refresh(email=email)
        assert (answer.status_code, answer.json()) == (401, REFUSED)
    # And it was not used up by that.
    assert shopper.refresh(email=shopper.email.upper()).status_code == 200


def test_the_address_is_asked_for_at_the_standard_endpoint_too(shop: Shop) -> None:
    shopper = shop.sign_in()
    form = {
        "grant_type": "refresh_token",
        "refresh_token": shopper.tokens["refresh_token"],
        "client_id": client_id_of(shop.store.prefix),
    }
    assert shop.world.http.post("/oauth/token", data=form).json()["error"] == "invalid_grant"
    named = shop.world.http.post("/oauth/token", data={**form, "email": shopper.email})
    assert named.status_code == 200, named.text


def test_the_shop_itself_can_begin_nothing_at_the_standard_endpoints(shop: Shop) -> None:
    shop.sign_in()
    client_id = client_id_of(shop.store.prefix)
    form = {"client_id": client_id, "grant_type": "client_credentials"}
    assert shop.world.http.post("/oauth/token", data=form).status_code in {400, 401}
    query = {"client_id": client_id, "response_type": "code", "redirect_uri": "https://evil.example/"}
    assert shop.world.http.get("/oauth/authorize", params=query).status_code == 400


def test_who_lost_the_answer_gets_the_same_successor_again(shop: Shop) -> None:
    """Rotation as everywhere: the one before, while its successor is unused."""
    shopper = shop.sign_in()
    first, again = shopper.refresh().json(), shopper.refresh().json()
    assert first["refresh_token"] == again["refresh_token"]


def test_many_refreshes_at_once_leave_all_with_the_same_living_token(shop: Shop) -> None:
    shopper = shop.sign_in()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: shopper.refresh(), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


def test_an_old_refresh_token_ends_everything_that_came_of_it(shop: Shop) -> None:
    shopper = shop.sign_in()
    second = Shopper(shop, shopper.email, shopper.refresh().json())
    third = Shopper(shop, shopper.email, second.refresh().json())
    assert shopper.refresh().json() == REFUSED
    assert [is_living(each) for each in (shopper, second, third)] == [False] * 3
    assert third.refresh().json() == REFUSED


def test_a_refresh_token_of_another_shop_is_none_here(shop: Shop) -> None:
    shopper, other = shop.sign_in(), Shop.opened(shop.world)
    other.sign_in(shopper.email)
    answer = other.auth(email=shopper.email, refresh_token=shopper.tokens["refresh_token"])
    assert (answer.status_code, answer.json()) == (401, REFUSED)
    assert shopper.refresh().status_code == 200


@pytest.mark.parametrize("token", ["", "x", "rt_AAAA", "rt_" + "A" * 80])
def test_a_refresh_token_that_is_none_is_refused(corner_shop: Shop, token: str) -> None:
    shopper = corner_shop.sign_in()
    answer = corner_shop.auth(email=shopper.email, refresh_token=token)
    assert (answer.status_code, answer.json()) == (401, REFUSED)


def test_an_access_token_that_is_taken_back_stops_at_once_and_alone(shop: Shop) -> None:
    """Sentence 17: "you can send a DELETE request with the access token"."""
    shopper = shop.sign_in()
    answer = shop.ask("DELETE", f"/auth/{shopper.tokens['access_token']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert not is_living(shopper)
    assert is_living(Shopper(shop, shopper.email, shopper.refresh().json()))


def test_a_refresh_token_that_is_taken_back_takes_its_access_tokens_with_it(shop: Shop) -> None:
    """Sentence 18: "passing refresh token instead of access token"."""
    shopper = shop.sign_in()
    assert shop.ask("DELETE", f"/auth/{shopper.tokens['refresh_token']}").status_code == 204
    assert not is_living(shopper)
    assert shopper.refresh().json() == REFUSED


def test_whatever_is_taken_back_the_answer_is_the_same(shop: Shop) -> None:
    other = Shop.opened(shop.world).sign_in()
    service = Service.hired(shop.world, token_format="opaque")
    for token in (
        "unknown",
        "at_AAAA",
        other.tokens["access_token"],
        other.tokens["refresh_token"],
        service.get_token(),
    ):
        answer = shop.ask("DELETE", f"/auth/{token}")
        assert (answer.status_code, answer.content) == (204, b"")
    shop.sign_in()
    # Another shop's and another client's stay as they are.
    assert shop.ask("DELETE", f"/auth/{other.tokens['refresh_token']}").status_code == 204
    assert is_living(other)
    assert other.refresh().status_code == 200
    assert service.list().status_code == 200


def test_the_client_of_a_shop_is_made_once_however_many_come_first(mall: World) -> None:
    shop = Shop.opened(mall)
    emails = [new_email() for _ in range(6)]
    codes = [shop.ask_code(email) for email in emails]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda pair: shop.auth(email=pair[0], code=pair[1]), zip(emails, codes, strict=True)))
    assert {answer.status_code for answer in answers} == {200}

    def count(unit: Unit) -> int:
        made = list_audit_events(unit, subject=client_id_of(shop.store.prefix))
        return [event.event for event in made].count("client.created")

    assert mall.transact(count) == 1


def test_one_sign_in_is_one_grant_which_the_account_page_shows_and_ends(shop: Shop) -> None:
    shopper = shop.sign_in()

    def look(unit: Unit) -> list[tuple[str, str | None]]:
        return [(client_id, store) for _, client_id, _, store in list_grants(unit, email=shopper.email)]

    assert shop.world.transact(look) == [(client_id_of(shop.store.prefix), shop.store.prefix)]
    person = Person(shop.world, shopper.email)

    user = shopper.user
    cookie = shop.world.transact(
        lambda unit: shop.world.runtime.sessions.begin(unit, user, ("otp",), "a browser", "127.0.0.1")[0]
    )
    person.browser.cookies.set("authsrv_session", cookie, domain="127.0.0.1")
    page = person.visit("/account")
    assert "Fill and change your cart" in page.text
    answer = person.browser.post(
        "/account/apps",
        data={**_hidden(page), "client_id": client_id_of(shop.store.prefix), "store": shop.store.prefix},
    )
    assert answer.headers["location"].endswith("done=app")
    assert not is_living(shopper)
    assert shopper.refresh().json() == REFUSED


def test_a_shop_that_an_operator_switched_off_signs_nobody_in(shop: Shop) -> None:
    shopper = shop.sign_in()

    def suspend(unit: Unit) -> None:
        client = find_client(unit, client_id_of(shop.store.prefix))
        assert client is not None
        client.suspended_at = unit.now()
        save_client(unit, client)

    shop.world.transact(suspend)
    code = shop.ask_code(shopper.email)
    assert shop.auth(email=shopper.email, code=code).status_code == 403
    assert shopper.refresh().status_code == 401


def test_a_token_lives_for_31_days_and_its_refresh_token_longer(tmp_path: Path, clock: ManualClock) -> None:
    """Sentence 10: "the token is time-limited"."""
    url = f"sqlite:///{tmp_path}/authsrv.db"
    migrate_with_keys(url)
    world = World(url, clock=clock, mail_url="outbox:")
    try:
        shopper = Shop.opened(world).sign_in()
        clock.move(timedelta(days=31, seconds=-1))
        assert is_living(shopper)
        clock.move(timedelta(seconds=1))
        assert not is_living(shopper)
        fresh = Shopper(shopper.shop, shopper.email, shopper.refresh().json())
        assert is_living(fresh)
        clock.move(timedelta(days=62))
        assert fresh.refresh().status_code == 401
    finally:
        world.close()


def test_a_refresh_is_one_write_as_at_the_standard_endpoint(shop: Shop) -> None:
    shopper = shop.sign_in()

    def refresh() -> httpx.Response:
        answer = shopper.refresh()
        shopper.tokens = answer.json()
        return answer

    assert cost_of(shop.world, refresh, at_most=1) == ["UPDATE"]


def test_taking_back_costs_what_it_does_at_the_standard_endpoint(shop: Shop) -> None:
    shopper = shop.sign_in()
    tokens = [shopper.refresh(shopper.tokens["refresh_token"]).json()["access_token"] for _ in range(6)]

    def revoke() -> httpx.Response:
        return shop.ask("DELETE", f"/auth/{tokens.pop()}")

    assert cost_of(shop.world, revoke, at_most=1, status=204) == ["INSERT"]


def test_a_call_with_a_token_asks_nothing_to_know_whose_it_is(shop: Shop) -> None:
    forged = bearer("at_" + "A" * 100)

    def ask() -> httpx.Response:
        return shop.ask("GET", "/account", headers=forged)

    assert cost_of(shop.world, ask, at_most=0, status=401) == []


def _hidden(page: httpx.Response) -> dict[str, str]:
    return dict(forms_of(page)[0].fields)
