"""A person signs in with the code from their mail."""

import json
import re
from base64 import urlsafe_b64decode
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlmodel import select

from authsrv.storage.deliveries import Delivery
from authsrv.storage.email_codes import EmailCode
from authsrv.storage.sessions import Session
from authsrv.storage.unit import Unit
from authsrv.storage.users import User, find_user, list_memberships
from tests.pages.conftest import Post, code_in, wrong
from tests.people import App, Person, answer_in, forms_of
from tests.support.plain_http import NO_TLS


def sessions_of(post: Post, person: Person) -> list[Session]:
    def work(unit: Unit) -> list[Session]:
        mine = select(Session).join(User).where(User.email == person.email)
        return list(unit.session.exec(mine))

    return post.world.transact(work)


def told(post: Post, app: App) -> int:
    """How many messages there were or are to come for the app."""
    mine = select(Delivery).where(Delivery.client_id == app.credentials.client_id)
    return post.world.transact(lambda unit: len(unit.session.exec(mine).all()))


def read_part(token: str) -> dict[str, Any]:
    """The claims inside a JWT."""
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def age(post: Post, person: Person, by: timedelta) -> None:
    """Makes the person's sign-ins older than they are."""

    def work(unit: Unit) -> None:
        for row in unit.session.exec(select(EmailCode).where(EmailCode.email == person.email)):
            row.sent_at -= by
            row.expires_at -= by
            unit.session.add(row)

    post.world.transact(work)


def test_an_unknown_address_becomes_a_person_when_the_code_is_confirmed(post: Post) -> None:
    person = post.person()
    asked = post.ask(person)
    assert post.world.transact(lambda unit: find_user(unit, person.email)) is None

    arrived = person.send(asked, code=post.code(person.email))

    assert arrived.url.path == "/account"
    assert person.email in arrived.text
    user = post.world.transact(lambda unit: find_user(unit, person.email))
    assert user is not None
    assert user.email_verified_at is not None


def test_whoever_signs_in_at_a_store_becomes_its_customer(post: Post) -> None:
    store, person = post.world.add_store(), post.person()
    post.sign_in(person)

    arrived = post.sign_in(person, f"/stores/{store.prefix}/sign-in?prompt=login")

    assert arrived.url.path == f"/stores/{store.prefix}/account"
    user = post.world.transact(lambda unit: find_user(unit, person.email))
    assert user is not None
    joined = post.world.transact(lambda unit: list_memberships(unit, user.id))
    assert [(membership.store_id, membership.role) for membership in joined] == [(store.id, "customer")]


def test_the_mail_has_the_code_in_its_subject_and_no_link(post: Post) -> None:
    person = post.person()
    post.ask(person)
    mail = post.mails(person.email)[0]
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    code = code_in(mail)
    assert code in plain.get_content()
    assert code in html.get_content()
    assert "http" not in plain.get_content() + html.get_content()
    assert mail["from"] == "Shops <login@shops.example>"
    assert mail["auto-submitted"] == "auto-generated"


def test_the_answer_is_the_same_for_a_known_and_an_unknown_address(post: Post) -> None:
    known, unknown = post.person(), post.person()
    post.sign_in(known)
    answers = [post.ask(known, "/sign-in?prompt=login"), post.ask(unknown)]
    texts = [
        re.sub(r"(?<=value=\").*?(?=\")|\d\d(?=\"| seconds)", "", answer.text.replace(who.email, ""))
        for answer, who in zip(answers, (known, unknown), strict=True)
    ]
    assert texts[0] == texts[1]


def test_a_wrong_code_says_how_many_tries_are_left_and_the_right_one_still_works(post: Post) -> None:
    person = post.person()
    asked = post.ask(person)
    code = post.code(person.email)
    refused = person.send(asked, code=wrong(code))
    assert refused.status_code == 400
    assert "4 tries left" in refused.text
    assert person.send(refused, code=f" {code[:3]} {code[3:]} ").url.path == "/account"


def test_a_slip_of_the_fingers_takes_no_try(post: Post) -> None:
    person = post.person()
    asked = post.ask(person)
    for typed in ("", "12345", "abcdef", "1234567", "１２３４５６"):  # noqa: RUF001  # digits, but not ours
        assert "six digits" in person.send(asked, code=typed).text
    refused = person.send(asked, code=wrong(post.code(person.email)))
    assert "4 tries left" in refused.text


def test_after_five_wrong_codes_one_click_starts_again_with_the_address_kept(post: Post) -> None:
    person = post.person()
    asked = post.ask(person, "/sign-in?next=/account%3Fa%3Db")
    code = post.code(person.email)
    for _ in range(4):
        person.send(asked, code=wrong(code))
    spent = person.send(asked, code=wrong(code))
    assert "Too many wrong codes" in spent.text
    assert "Too many wrong codes" in person.send(asked, code=code).text

    again = person.send(spent)
    arrived = person.send(again, code=post.code(person.email, 2))
    assert str(arrived.url).endswith("/account?a=b")


def test_a_code_works_once(post: Post) -> None:
    person = post.person()
    asked = post.ask(person)
    cookies = dict(person.browser.cookies)
    code = post.code(person.email)
    person.send(asked, code=code)
    with httpx.Client(verify=NO_TLS, base_url=post.world.url, cookies=cookies) as thief:
        refused = thief.post("/sign-in/code", data={**dict(forms_of(asked)[0].fields), "code": code})
    assert "This code was used" in refused.text
    assert "authsrv_session" not in thief.cookies


def test_a_code_expires_after_ten_minutes(post: Post) -> None:
    person = post.person()
    asked = post.ask(person)
    code = post.code(person.email)
    age(post, person, timedelta(minutes=10, seconds=1))
    over = person.send(asked, code=code)
    assert "This code has expired" in over.text
    assert person.email in over.text


def test_only_the_newest_code_works(post: Post) -> None:
    person = post.person()
    asked = post.ask(person)
    age(post, person, timedelta(seconds=31))
    resent = person.send(asked, form=1)
    assert "A new code is on its way" in resent.text
    first, second = (code_in(mail) for mail in post.mails(person.email, 2))
    if first != second:
        assert person.send(resent, code=first).status_code == 400
    assert person.send(resent, code=second).url.path == "/account"


def test_a_resend_waits_thirty_seconds_and_says_so(post: Post) -> None:
    person = post.person()
    asked = post.ask(person)
    assert 'data-wait="30"' in asked.text or 'data-wait="29"' in asked.text
    assert "A code was sent just now" in person.send(asked, form=1).text
    assert len(post.mails(person.email)) == 1


def test_a_resend_gives_no_new_tries(post: Post) -> None:
    person = post.person()
    asked = post.ask(person)
    for _ in range(4):
        person.send(asked, code=wrong(post.code(person.email)))
    age(post, person, timedelta(seconds=31))
    resent = person.send(asked, form=1)
    refused = person.send(resent, code=wrong(post.code(person.email, 2)))
    assert "Too many wrong codes" in refused.text


def test_a_new_sign_in_ends_the_one_before(post: Post) -> None:
    first, second = post.person(), post.person()
    second.email = first.email
    asked = post.ask(first)
    code = post.code(first.email)
    post.ask(second)
    assert "This code has expired" in first.send(asked, code=code).text


def test_a_code_works_in_the_browser_that_asked_for_it_only(post: Post) -> None:
    asking, other = post.person(), post.person()
    post.ask(asking)
    asked = post.ask(other)
    refused = other.send(asked, code=post.code(asking.email))
    assert refused.status_code == 400
    assert "authsrv_session" not in other.browser.cookies


def test_a_sign_in_begun_at_one_store_cannot_be_ended_at_another(post: Post) -> None:
    person, here, there = post.person(), post.world.add_store(), post.world.add_store()
    asked = post.ask(person, f"/stores/{here.prefix}/sign-in")
    fields = dict(forms_of(asked)[0].fields)
    elsewhere = f"/stores/{there.prefix}/sign-in/code"
    refused = person.browser.post(elsewhere, data={**fields, "code": post.code(person.email)})
    assert refused.status_code == 400
    assert "authsrv_session" not in person.browser.cookies


def test_who_signs_in_again_goes_on_in_the_same_session_and_the_cookie_from_before_is_void(post: Post) -> None:
    person = post.person()
    post.sign_in(person)
    before = person.browser.cookies["authsrv_session"]
    (first,) = sessions_of(post, person)
    again = post.ask(person, "/sign-in?prompt=login")
    person.send(again, code=post.code(person.email, 2))
    (second,) = sessions_of(post, person)
    assert second.id == first.id
    assert second.auth_time > first.auth_time
    assert person.browser.cookies["authsrv_session"] != before
    assert person.visit("/account").url.path == "/account"
    with httpx.Client(verify=NO_TLS, base_url=post.world.url, cookies={"authsrv_session": before}) as thief:
        assert thief.get("/account").headers["location"].startswith("/sign-in")


def test_apps_hear_nothing_when_the_same_person_signs_in_again_and_hear_it_when_another_does(post: Post) -> None:
    app = App.registered(post.world, backchannel_logout_uri="https://app.example/logged-out")
    person, other = post.person(), post.person()
    post.sign_in(person)
    app.log_in(person)
    person.send(post.ask(person, "/sign-in?prompt=login"), code=post.code(person.email, 2))
    assert told(post, app) == 0
    other.browser = person.browser
    post.sign_in(other, "/sign-in?prompt=login")
    assert told(post, app) == 1


def test_a_sign_in_again_is_the_fresh_one_an_app_asked_for(post: Post) -> None:
    app, person = App.registered(post.world), post.person()
    post.sign_in(person)
    before = app.log_in(person)["id_token"]
    page = person.visit(app.authorize_url(prompt="login"))
    asked = person.send(page, email=person.email)
    arrived = person.send(asked, code=post.code(person.email, 2))
    after = app.redeem(answer_in(arrived)["code"]).json()["id_token"]
    was, now = (read_part(token) for token in (before, after))
    assert now["sid"] == was["sid"]
    assert now["auth_time"] >= was["auth_time"]


def test_two_sign_ins_at_once_from_one_browser_renew_the_session_once(post: Post) -> None:
    person = post.person()
    post.sign_in(person)
    cookie = person.browser.cookies["authsrv_session"]
    sessions = post.world.runtime.sessions

    def renew(_: int) -> str | None:
        return post.world.transact(lambda unit: sessions.renew(unit, cookie, ("otp",), "", ""))

    with ThreadPoolExecutor(8) as pool:
        renewed = [text for text in pool.map(renew, range(8)) if text]
    assert len(renewed) == 1


def test_who_is_signed_in_may_go_on_or_take_another_account(post: Post) -> None:
    person = post.person()
    post.sign_in(person)
    page = person.visit("/sign-in?next=/account%3Fx")
    assert "You are signed in" in page.text
    assert 'href="/account?x"' in page.text
    for prompt in ("login", "select_account"):
        assert 'name="email"' in person.visit(f"/sign-in?prompt={prompt}").text


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "evil.example",
        "/\t/evil.example",
        "/account\r\nX: y",
        "javascript:alert(1)",
        "/x/../../y",
    ],
)
def test_next_never_leads_elsewhere(sqlite_post: Post, elsewhere: str) -> None:
    person = sqlite_post.person()
    asked = person.send(person.visit(str(httpx.URL("/sign-in", params={"next": elsewhere}))), email=person.email)
    arrived = person.send(asked, code=sqlite_post.code(person.email))
    assert str(arrived.url) == f"{sqlite_post.world.url}/account"


def test_fifty_right_codes_at_once_make_one_session(post: Post) -> None:
    person = post.person()
    asked = post.ask(person)
    form = {**dict(forms_of(asked)[0].fields), "code": post.code(person.email)}
    answers = _send_at_once(post, person, form, 50)
    arrived = [answer for answer in answers if answer.status_code == 303 and "authsrv_session" in answer.cookies]
    assert len(arrived) == 1

    assert len(sessions_of(post, person)) == 1


def test_twenty_wrong_codes_at_once_take_exactly_five_tries(post: Post) -> None:
    person = post.person()
    asked = post.ask(person)
    form = {**dict(forms_of(asked)[0].fields), "code": wrong(post.code(person.email))}
    answers = _send_at_once(post, person, form, 20)
    assert {answer.status_code for answer in answers} == {400}

    def attempts(unit: Unit) -> int:
        return unit.session.exec(select(EmailCode).where(EmailCode.email == person.email)).one().attempts

    assert post.world.transact(attempts) == 5


def _send_at_once(post: Post, person: Person, form: dict[str, str], count: int) -> list[httpx.Response]:
    cookies = dict(person.browser.cookies)

    def send(_: int) -> httpx.Response:
        with httpx.Client(verify=NO_TLS, base_url=post.world.url, cookies=cookies, timeout=30) as browser:
            return browser.post("/sign-in/code", data=form)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(send, range(count)))


@pytest.mark.parametrize("address", ["dörte{}@example.com", "d{}@bücher.example"], ids=["name", "domain"])
def test_an_address_may_be_written_in_any_script(post: Post, address: str) -> None:
    person = post.person()
    person.email = address.format(uuid4().hex[:8])
    before = len(post.sink.messages)
    asked = post.ask(person)
    code = code_in(post.sink.wait_for(before + 1)[before])
    assert person.send(asked, code=code).url.path == "/account"


def test_an_address_without_end_is_refused_at_once(post: Post) -> None:
    person = post.person()
    refused = person.send(person.visit("/sign-in"), email=f"{'a' * 100_000}@example.com")
    assert refused.status_code == 400
