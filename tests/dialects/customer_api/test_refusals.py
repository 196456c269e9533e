"""Four cases kept apart: a bad client, an invalid token, an expired token, and one that is not allowed."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from authsrv.identity.customer_api import get_customer, revoke_password
from tests.actors import Service
from tests.dialects.customer_api.shopper import Shopper
from tests.engines import on_postgresql_alone
from tests.people import App, Person
from tests.support.databases import migrate_with_keys
from tests.support.world import ManualClock, World

ACCESS_DENIED = {
    "error": "access_denied",
    "error_description": "The resource owner or authorization server denied the request.",
    "status": 400,
}
Case = Callable[[Shopper], str]


@pytest.fixture
def hourly(tmp_path: Path, clock: ManualClock) -> Iterator[World]:
    """A server whose time can pass."""
    url = f"sqlite:///{tmp_path / 'authsrv.db'}"
    migrate_with_keys(url)
    world = World(url, clock=clock, customer_api={"allow_http": True})
    yield world
    world.close()


def altered(shopper: Shopper) -> str:
    head, claims, seal = shopper.get_token().split(".")
    return f"{head}.{claims}.{'A' if seal[0] != 'A' else 'B'}{seal[1:]}"


def taken_back(shopper: Shopper) -> str:
    token = shopper.get_token()
    pair = (shopper.pair["client_id"], shopper.pair["client_secret"])
    assert shopper.world.http.post("/oauth/revoke", data={"token": token}, auth=pair).status_code == 200
    return token


def of_a_revoked_password(shopper: Shopper) -> str:
    token = shopper.get_token()
    customer = shopper.world.transact(lambda unit: get_customer(unit, shopper.person.email, shopper.prefix))
    assert shopper.world.transact(lambda unit: revoke_password(unit, customer, actor="test"))
    return token


def of_a_replaced_password(shopper: Shopper) -> str:
    token = shopper.get_token()
    shopper.make_password()
    return token


def an_id_token(shopper: Shopper) -> str:
    person = Person.signed_in(shopper.world, stores=(shopper.prefix,))
    app = App.registered(shopper.world, store=shopper.prefix)
    text: str = app.log_in(person, scope="openid")["id_token"]
    return text


INVALID: dict[str, Case] = {
    "garbage": lambda _: "garbage",
    "nobody's API key": lambda _: "ak_AAAA",
    "altered": altered,
    "taken back": taken_back,
    "of a revoked password": of_a_revoked_password,
    "of a replaced password": of_a_replaced_password,
    "an ID token": an_id_token,
}


@pytest.mark.parametrize("case", INVALID.values(), ids=INVALID.keys())
@on_postgresql_alone()
def test_an_invalid_token_is_refused_to_the_letter(shopper: Shopper, case: Case) -> None:
    """Sentence 25."""
    answer = shopper.call("GET", "/orders", token=case(shopper))
    assert answer.status_code == 400
    assert answer.json() == ACCESS_DENIED
    assert list(answer.json()) == list(ACCESS_DENIED)
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["content-encoding"] == "gzip"


def test_an_expired_token_is_refused_to_the_letter(hourly: World, clock: ManualClock) -> None:
    """Sentence 26: after the hour of sentence 22."""
    shopper = Shopper.allowed(hourly)
    assert shopper.list().status_code == 200
    clock.move(timedelta(seconds=3599))
    assert shopper.list().status_code == 200
    clock.move(timedelta(seconds=1))
    answer = shopper.list()
    assert answer.status_code == 401
    assert answer.json() == {"error": "invalid_token", "error_description": "The access token expired"}
    assert list(answer.json()) == ["error", "error_description"]
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["content-encoding"] == "gzip"
    # RFC 6750, 3: where the document is silent.
    assert answer.headers["www-authenticate"].startswith("Bearer ")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_without_a_token_the_standards_challenge_comes(regular: Shopper) -> None:
    """RFC 6750, 3.1: no error in the challenge where nothing was tried."""
    answer = regular.world.http.get(f"/stores/{regular.prefix}/api/customer/orders")
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")
    assert "error=" not in answer.headers["www-authenticate"]


def test_who_is_no_longer_allowed_is_told_so(shopper: Shopper) -> None:
    """Sentence 18: the live token stops with the permission, and nothing else is wrong with it."""
    assert shopper.list().status_code == 200
    shopper.withdraw()
    answer = shopper.list()
    assert answer.status_code == 403
    assert answer.json() == {
        "error": "forbidden",
        "error_description": "The store does not allow this customer to use the Customer API.",
        "status": 403,
    }
    refused = shopper.ask_for_token()
    assert (refused.status_code, refused.json()["error"]) == (400, "unauthorized_client")
    shopper.permit()
    assert shopper.call("GET", "/orders").json() == ACCESS_DENIED
    assert shopper.call("GET", "/orders", token=shopper.get_token()).status_code == 200


def test_who_does_not_know_the_secret_does_not_hear_that_it_was_withdrawn(shopper: Shopper) -> None:
    shopper.withdraw()
    answer = shopper.ask_for_token(client_secret="164381f6-dcea-46c1-bf8f-f9f22288970c")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_token_is_for_one_store(regular: Shopper) -> None:
    elsewhere = Shopper.allowed(regular.world)
    answer = regular.call("GET", "/orders", prefix=elsewhere.prefix)
    assert (answer.status_code, answer.json()["status"]) == (403, 403)
    # The issuer's own host speaks for the default store, and that is another one too.
    at_issuer = regular.world.http.get("/api/customer/orders", headers=regular.bearer)
    assert (at_issuer.status_code, at_issuer.json()["error"]) == (403, "forbidden")


CALLS = {"orders:read": ("GET", "/orders"), "orders:write": ("POST", "/orders"), "products:read": ("GET", "/products")}


@pytest.mark.parametrize("scope", CALLS)
def test_a_token_opens_what_its_scope_names(regular: Shopper, scope: str) -> None:
    token = regular.get_token(scope=scope)
    for needed, (method, path) in CALLS.items():
        answer = regular.call(method, path, token=token)
        assert (answer.status_code == 403) == (needed != scope), path
        if needed != scope:
            assert answer.json()["error"] == "insufficient_scope"
            assert f'scope="{needed}"' in answer.headers["www-authenticate"]


def test_services_and_keys_are_nobody_here(regular: Shopper) -> None:
    service = Service.hired(regular.world, store=regular.prefix)
    answer = regular.call("GET", "/orders", token=service.get_token())
    assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")


def refused_as(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


def test_what_is_not_there_is_said_in_the_same_voice(regular: Shopper) -> None:
    assert refused_as(regular.call("GET", "/nothing")) == (404, "not_found")
    deleted = regular.call("DELETE", "/orders")
    assert refused_as(deleted) == (405, "method_not_allowed")
    assert {*deleted.headers["allow"].split(", ")} == {"GET", "HEAD", "POST"}
    large = regular.call("POST", "/orders", json={"note": "x" * 300_000})
    assert refused_as(large) == (413, "payload_too_large")
    for answer in (deleted, large):
        assert list(answer.json()) == ["error", "error_description", "status"]
        assert answer.headers["content-encoding"] == "gzip"


def test_too_many_calls_are_said_in_the_same_voice(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'authsrv.db'}"
    migrate_with_keys(url)
    limits = {"token_per_client": "2/minute", "api_per_credential": "1/minute"}
    world = World(url, customer_api={"allow_http": True}, limits=limits)
    try:
        shopper = Shopper.allowed(world)
        assert shopper.list().status_code == 200
        assert shopper.ask_for_token().status_code == 200
        for answer in (shopper.list(), shopper.ask_for_token()):
            assert refused_as(answer) == (429, "rate_limited")
            assert answer.headers["content-encoding"] == "gzip"
            assert answer.headers["retry-after"].isdigit()
    finally:
        world.close()


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[World]:
    """A server of the test's own, to break."""
    url = f"sqlite:///{tmp_path / 'authsrv.db'}"
    migrate_with_keys(url)
    world = World(url, customer_api={"allow_http": True})
    yield world
    world.close()


def test_what_breaks_on_our_side_is_said_without_saying_what(broken: World) -> None:
    shopper = Shopper.allowed(broken)
    assert shopper.bearer
    broken.transact(lambda unit: unit.change(text('ALTER TABLE "order" RENAME TO lost')))
    for answer in (shopper.list(), shopper.order(("C-A100", 1))):
        assert refused_as(answer) == (500, "internal_error")
        assert answer.headers["content-encoding"] == "gzip"
        assert "lost" not in answer.text


def test_a_database_that_is_away_is_said_with_a_time_to_come_back(broken: World) -> None:
    shopper = Shopper.allowed(broken)
    headers = shopper.bearer
    path = Path(str(broken.database.url.database))
    forget = broken.database.engine.dispose()
    asyncio.run_coroutine_threadsafe(forget, broken._loop).result(10)  # noqa: SLF001 - the loop its engine lives on
    path.rename(path.with_suffix(".away"))
    path.mkdir()
    answer = broken.http.get(f"/stores/{shopper.prefix}/api/customer/orders", headers=headers)
    assert refused_as(answer) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    path.rmdir()
    path.with_suffix(".away").rename(path)
