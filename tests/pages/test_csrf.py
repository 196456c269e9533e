"""No other site sends our forms."""

import httpx
import pytest

from tests.pages.conftest import Post
from tests.people import forms_of


def test_a_form_without_a_token_is_refused_in_words_with_a_way_on(sqlite_post: Post) -> None:
    answer = sqlite_post.world.http.post("/sign-in", data={"email": "a@example.com"})
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert 'href="/sign-in"' in answer.text


def test_the_token_of_another_browser_is_refused(sqlite_post: Post) -> None:
    mine, theirs = sqlite_post.person(), sqlite_post.person()
    mine.visit("/sign-in")
    fields = dict(forms_of(theirs.visit("/sign-in"))[0].fields)
    answer = mine.browser.post("/sign-in", data={**fields, "email": mine.email})
    assert answer.status_code == 403


def test_the_token_from_before_the_sign_in_is_refused_after(sqlite_post: Post) -> None:
    person = sqlite_post.person()
    before = dict(forms_of(person.visit("/sign-in"))[0].fields)
    sqlite_post.sign_in(person)
    answer = person.browser.post("/account/name", data={**before, "name": "x"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"Sec-Fetch-Site": "cross-site"}, 403, id="another site"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, 403, id="a sister host"),
        pytest.param({"Sec-Fetch-Site": "same-origin"}, 400, id="our own page"),
        pytest.param({"Sec-Fetch-Site": "none"}, 400, id="the person themselves"),
        pytest.param({"Origin": "https://evil.example"}, 403, id="another origin"),
        pytest.param({"Origin": "null"}, 403, id="an origin that hides"),
        pytest.param({"Origin": "http://["}, 403, id="half an origin"),
        pytest.param({"Origin": "{url}"}, 400, id="our own origin"),
        pytest.param({}, 400, id="a browser that says nothing"),
    ],
)
def test_the_origin_of_a_form_counts(sqlite_post: Post, headers: dict[str, str], status: int) -> None:
    person = sqlite_post.person()
    fields = dict(forms_of(person.visit("/sign-in"))[0].fields)
    sent = {name: value.format(url=sqlite_post.world.url) for name, value in headers.items()}
    answer = person.browser.post("/sign-in", data={**fields, "email": "no address"}, headers=sent)
    assert answer.status_code == status


def test_pages_let_nothing_foreign_in(sqlite_post: Post) -> None:
    page = sqlite_post.world.http.get("/sign-in")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "style=" not in page.text
    assert "<style" not in page.text
    assert page.headers["cache-control"] == "no-store"


def test_files_are_kept_for_good_under_names_that_change_with_them(sqlite_post: Post) -> None:
    page = sqlite_post.world.http.get("/sign-in")
    links = [part.split('"')[0] for part in page.text.split('href="')[1:] if part.startswith("/static/")]
    total = len(page.content)
    for link in [*links, page.text.split('src="')[1].split('"')[0]]:
        file = sqlite_post.world.http.get(link)
        assert file.status_code == 200
        assert "immutable" in file.headers["cache-control"]
        total += len(file.content)
    assert total < 100 * 1024
    assert sqlite_post.world.http.get("/static/style.000000000000.css").status_code == 404


def test_cookies_are_closed_to_scripts_and_other_sites(sqlite_post: Post) -> None:
    person = sqlite_post.person()
    asked = sqlite_post.ask(person)
    fields = {**dict(forms_of(asked)[0].fields), "code": sqlite_post.code(person.email)}
    answer = person.browser.post("/sign-in/code", data=fields)
    cookies = [line for line in answer.headers.get_list("set-cookie") if line.startswith("authsrv_session=")]
    assert len(cookies) == 1
    attributes = {part.strip().lower() for part in cookies[0].split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= attributes
    assert "secure" not in attributes


def test_on_an_https_issuer_the_cookie_belongs_to_the_host(https_post: httpx.Client) -> None:
    page = https_post.get("/sign-in", headers={"X-Forwarded-Proto": "https"})
    cookie = page.headers["set-cookie"]
    assert cookie.startswith("__Host-authsrv_browser=")
    assert "secure" in cookie.lower()
    assert "Path=/;" in cookie
