"""Signing in at a shop: an address brings a code, the code brings tokens, and nothing tells who is known."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pytest

from authsrv.storage.email_codes import find_newest_email_code
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_membership, find_user
from tests.dialects.storefront.shopper import Shop, new_email
from tests.pages.conftest import wrong

WRONG_CODE = {
    "error": "The code is not right, or has expired.",
    "errors": {"code": ["is not right, or has expired"]},
}


def user_of(shop: Shop, email: str) -> tuple[str, str, str] | None:
    """Name, last name and role in the shop."""

    def look(unit: Unit) -> tuple[str, str, str] | None:
        user = find_user(unit, email)
        if user is None:
            return None
        membership = find_membership(unit, store_id=shop.store.id, user_id=user.id)
        return user.name, user.last_name, membership.role if membership else ""

    return shop.world.transact(look)


def test_a_new_person_is_made_when_the_code_is_right_and_not_before(shop: Shop) -> None:
    """Sentence 5: "If the user does not exist, it will be created"."""
    email = new_email()
    code = shop.ask_code(email)
    assert user_of(shop, email) is None
    assert shop.auth(email=email, code=code).status_code == 200
    assert user_of(shop, email) == ("", "", "customer")


def test_names_are_taken_for_a_new_customer_alone(shop: Shop) -> None:
    """Sentence 6: "first and last name that will be used if the customer does not exist"."""
    email = new_email()
    shop.sign_in(email, first_name="Vendo", last_name="Demo")
    assert user_of(shop, email) == ("Vendo Demo", "Demo", "customer")
    shop.sign_in(email, first_name="Somebody", last_name="Else")
    assert user_of(shop, email) == ("Vendo Demo", "Demo", "customer")


def test_the_code_comes_by_mail_from_the_shop(shop: Shop) -> None:
    """Sentence 8: "The customer should now receive an email with the OTP code"."""
    email = new_email()
    code = shop.ask_code(email)
    (mail,) = shop.mails(email)
    assert code in mail.subject
    assert shop.store.name in mail.text
    # The code is good wherever the person types it, and the mail does not say otherwise.
    assert "browser" not in mail.text + mail.html


def test_the_answer_to_known_and_unknown_addresses_is_the_same(shop: Shop) -> None:
    """Sentence 7, to the byte."""
    known = shop.sign_in().email
    answers = [shop.auth(email=email) for email in (known, new_email())]
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, b'{"message":"Code sent"}')}
    assert answers[0].headers.keys() == answers[1].headers.keys()
    assert answers[0].headers["content-type"] == "application/json"


def test_tokens_are_opaque_and_safe_in_urls_and_say_how_long_they_last(shop: Shop) -> None:
    """Sentences 9 and 10: "access_token and refresh_token as a response", "the token is time-limited"."""
    before = int(datetime.now(UTC).timestamp())
    tokens = shop.sign_in().tokens
    assert list(tokens) == ["access_token", "token_type", "expires_in", "refresh_token", "created_at"]
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 31 * 24 * 3600)
    assert before <= tokens["created_at"] <= int(datetime.now(UTC).timestamp())
    for name in ("access_token", "refresh_token"):
        assert re.fullmatch(r"[A-Za-z0-9_-]{43,}", tokens[name])


def test_an_address_is_the_same_in_any_case_and_with_spaces_around_it(shop: Shop) -> None:
    email = new_email()
    code = shop.ask_code(email)
    assert shop.auth(email=f" {email.upper()} ", code=f" {code[:3]} {code[3:]} ").status_code == 200


def test_a_wrong_code_is_told_from_nothing_else(shop: Shop) -> None:
    """A wrong, a spent, an expired and a code that nobody asked for: one answer."""
    email = new_email()
    code = shop.ask_code(email)
    refusals = [shop.auth(email=email, code=wrong(code))]
    shop.auth(email=email, code=code)
    refusals.append(shop.auth(email=email, code=code))
    refusals.append(shop.auth(email=new_email(), code="123456"))
    refusals.append(shop.auth(email=email, code="no digits"))
    assert {refusal.status_code for refusal in refusals} == {422}
    assert [refusal.json() for refusal in refusals] == [WRONG_CODE] * 4


def test_a_code_has_five_tries_and_the_right_one_is_none_of_the_more(shop: Shop) -> None:
    email = new_email()
    code = shop.ask_code(email)
    for _ in range(5):
        assert shop.auth(email=email, code=wrong(code)).status_code == 422
    assert shop.auth(email=email, code=code).json() == WRONG_CODE


def test_of_many_who_come_with_the_right_code_at_once_one_gets_tokens(shop: Shop) -> None:
    email = new_email()
    code = shop.ask_code(email)
    with ThreadPoolExecutor(5) as pool:
        statuses = list(pool.map(lambda _: shop.auth(email=email, code=code).status_code, range(5)))
    assert sorted(statuses) == [200, 422, 422, 422, 422]


def test_only_the_newest_code_is_right(shop: Shop) -> None:
    email = new_email()
    first = shop.ask_code(email)
    second = shop.ask_code(email)
    if first != second:
        assert shop.auth(email=email, code=first).status_code == 422
    assert shop.auth(email=email, code=second).status_code == 200


def test_a_code_of_another_shop_is_none_here(shop: Shop) -> None:
    other, email = Shop.opened(shop.world), new_email()
    code = other.ask_code(email)
    assert shop.auth(email=email, code=code).json() == WRONG_CODE
    assert other.auth(email=email, code=code).status_code == 200


def test_a_code_that_a_browser_asked_for_is_none_here(shop: Shop) -> None:
    """No browser holds this sign-in together, so its codes must not be those of one."""
    email = new_email()

    def begin(unit: Unit) -> str:
        return shop.world.runtime.sign_ins.begin(unit, email, store_id=shop.store.id).code

    assert shop.auth(email=email, code=shop.world.transact(begin)).json() == WRONG_CODE

    def look(unit: Unit) -> int:
        row = find_newest_email_code(unit, email, "sign_in", shop.store.id)
        assert row is not None
        return row.attempts

    # Nor does guessing here cost the browser one of its tries.
    assert shop.world.transact(look) == 0


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        pytest.param({}, 422, ["user"], id="no user"),
        pytest.param({"user": {}}, 422, ["email"], id="no address"),
        pytest.param({"user": {"email": "nobody"}}, 422, ["email"], id="no address at all"),
        pytest.param({"user": {"email": 7}}, 422, ["email"], id="a number"),
        pytest.param({"user": {"email": "a@example.com\0"}}, 422, ["email"], id="NUL in the address"),
        pytest.param({"user": {"email": "a@example.com", "code": 123456}}, 422, ["code"], id="a code that is a number"),
        pytest.param(
            {"user": {"email": "a@example.com", "first_name": "a\0"}}, 422, ["first_name"], id="NUL in a name"
        ),
        pytest.param(
            {"user": {"email": "a@example.com", "last_name": "x" * 101}}, 422, ["last_name"], id="a long name"
        ),
        pytest.param([], 400, None, id="a list"),
    ],
)
def test_a_request_that_cannot_be_names_the_field(
    corner_shop: Shop, body: object, status: int, fields: list[str] | None
) -> None:
    answer = corner_shop.ask("POST", "/auth", body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    said = answer.json()
    assert list(said.get("errors", {})) == (fields or [])
    assert isinstance(said["error"], str)


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b'{"user":{"email":"a@example.com"}}', "text/plain", 415),
        (b'{"user":{"email":"a@example.com"}}', "application/vnd.api+json; charset=utf-8", 200),
    ],
)
def test_bodies_are_json_under_either_name(corner_shop: Shop, content: bytes, content_type: str, status: int) -> None:
    headers = {"Content-Type": content_type}
    answer = corner_shop.world.http.post(f"{corner_shop.root}/auth", content=content, headers=headers)
    assert answer.status_code == status


def test_a_shop_that_is_not_there_signs_nobody_in(corner_shop: Shop) -> None:
    def ask(path: str) -> httpx.Response:
        return corner_shop.world.http.post(path, json={"user": {"email": "a@example.com"}})

    nowhere = ask("/stores/nowhere/api/v2/storefront/auth")
    assert (nowhere.status_code, nowhere.json()) == (404, {"error": "There is no such store."})
    # The issuer's own host has no default store on this server.
    assert ask("/api/v2/storefront/auth").status_code == 404
    by_host = {"Host": f"{corner_shop.store.prefix}.localhost"}
    answer = corner_shop.world.http.post(
        "/api/v2/storefront/auth", json={"user": {"email": "a@example.com"}}, headers=by_host
    )
    assert answer.json() == {"message": "Code sent"}


def test_whoever_is_suspended_hears_it_once_they_have_proved_who_they_are(shop: Shop) -> None:
    shopper = shop.sign_in()
    shopper_id = shopper.user.id

    def suspend(unit: Unit) -> None:
        user = find_user(unit, shopper.email)
        assert user is not None
        user.suspended_at = unit.now()
        unit.session.add(user)

    shop.world.transact(suspend)
    answer = shop.auth(email=shopper.email, code=shop.ask_code(shopper.email))
    assert (answer.status_code, answer.json()) == (403, {"error": "This account has been suspended."})
    assert shopper_id == shopper.user.id
