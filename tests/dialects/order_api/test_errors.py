"""Every error of the Order API is JSON of the guide's shape, whoever found the fault and wherever."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from tests.actors import ORDER, Service, order_of
from tests.support.databases import migrate_with_keys
from tests.support.world import World

MISSING = "01900000-0000-7000-8000-000000000000"
Act = Callable[[Service], httpx.Response]


def call(service: Service, method: str, path: str, **values: object) -> httpx.Response:
    return service.world.http.request(method, path, **{"headers": service.bearer, **values})  # type: ignore[arg-type]


def move(service: Service, order_id: str, status: str) -> httpx.Response:
    return call(service, "PUT", f"/orders/{order_id}", json={"status": status})


def too_far(service: Service) -> httpx.Response:
    return move(service, service.place().json()["order_id"], "delivered")


def another_order_with_the_same_key(service: Service) -> httpx.Response:
    key = {"Idempotency-Key": "one"}
    assert service.place(headers=key).status_code == 201
    return service.place(order_of(("B200", 1)), headers=key)


def too_often(service: Service) -> httpx.Response:
    eager = Service.hired(service.world, api_limit="1/hour")
    eager.list()
    return eager.list()


def read_only(service: Service) -> httpx.Response:
    return Service.hired(service.world, scope="orders:read").place()


REFUSALS: dict[str, tuple[int, str, str | None, Act]] = {
    "a parameter that is missing": (400, "invalid_parameter", None, lambda s: s.place({})),
    "no credential": (401, "unauthorized", "www-authenticate", lambda s: s.world.http.get("/orders")),
    "a credential that is none": (
        *(401, "unauthorized", "www-authenticate"),
        lambda s: call(s, "GET", "/orders", headers={"Authorization": "Bearer none"}),
    ),
    "a scope that is missing": (403, "insufficient_scope", "www-authenticate", read_only),
    "another store's path": (
        *(403, "insufficient_scope", "www-authenticate"),
        lambda s: call(s, "GET", "/stores/elsewhere/orders"),
    ),
    "an order there is not": (404, "not_found", None, lambda s: s.read(MISSING)),
    "a path there is not": (404, "not_found", None, lambda s: call(s, "GET", f"/orders/{MISSING}/lines")),
    "a slash too many": (404, "not_found", None, lambda s: call(s, "GET", "/orders/")),
    "a path with NUL": (404, "not_found", None, lambda s: call(s, "GET", "/orders/%00")),
    "a path with half a character": (404, "not_found", None, lambda s: call(s, "GET", "/orders/%ED%A0%80")),
    "a method of no order": (405, "method_not_allowed", "allow", lambda s: call(s, "PATCH", f"/orders/{MISSING}")),
    "a method of no list": (405, "method_not_allowed", "allow", lambda s: call(s, "DELETE", "/orders")),
    "a method that shows what it is sent": (405, "method_not_allowed", "allow", lambda s: call(s, "TRACE", "/orders")),
    "a move there is not": (409, "invalid_transition", None, too_far),
    "a body that is too large": (413, "payload_too_large", None, lambda s: s.place_raw(b" " * 300_000)),
    "a body that is a form": (
        415,
        "unsupported_media_type",
        None,
        lambda s: call(s, "POST", "/orders", data={"a": "b"}),
    ),
    "a key used before": (422, "idempotency_conflict", None, another_order_with_the_same_key),
    "too many requests": (429, "rate_limited", "retry-after", too_often),
}


def judge(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert list(body) == ["error"]
    assert list(body["error"]) == ["code", "message"]
    assert body["error"]["code"] == code
    assert body["error"]["message"].endswith(".")


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
def test_a_refusal_is_json_with_its_own_code(sqlite_world: World, refusal: tuple[int, str, str | None, Act]) -> None:
    status, code, header, act = refusal
    answer = act(Service.hired(sqlite_world))
    judge(answer, status, code)
    assert header is None or answer.headers[header]


@pytest.mark.parametrize(
    ("path", "allowed"), [("/orders", {"GET", "HEAD", "POST"}), ("/orders/x", {"GET", "HEAD", "PUT", "DELETE"})]
)
def test_a_refused_method_is_told_which_are_allowed(sqlite_world: World, path: str, allowed: set[str]) -> None:
    answer = sqlite_world.http.patch(path)
    assert {method.strip() for method in answer.headers["allow"].split(",")} == allowed


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", "APPLICATION/JSON", "application/json;charset=UTF-8;x=y"],
)
def test_json_may_be_called_so_in_many_ways(sqlite_world: World, content_type: str) -> None:
    service = Service.hired(sqlite_world)
    answer = service.place(ORDER, headers={"Content-Type": content_type})
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("name", ["customer_id", "status", "page", "limit", "after"])
@pytest.mark.parametrize("values", [("",), ("1", "2")], ids=["empty", "twice"])
def test_a_parameter_of_a_list_is_neither_empty_nor_repeated(
    sqlite_world: World, name: str, values: tuple[str, ...]
) -> None:
    answer = call(Service.hired(sqlite_world), "GET", "/orders", params=[(name, value) for value in values])
    judge(answer, 400, "invalid_parameter")
    assert name in answer.json()["error"]["message"]


@pytest.mark.parametrize("country", ["840", "SU", "SUN", "ZZ", "us", "U", "USAA", "Germany", ""])
def test_what_is_no_country_is_refused_by_name(sqlite_world: World, country: str) -> None:
    address = {**order_of()["shipping_address"], "country": country}  # type: ignore[dict-item]
    answer = Service.hired(sqlite_world).place(order_of(("A100", 1), shipping_address=address))
    judge(answer, 400, "invalid_parameter")
    assert answer.json()["error"]["message"].startswith("shipping_address.country: ")


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[World]:
    """A server whose orders were lost while it ran."""
    url = f"sqlite:///{tmp_path / 'authsrv.db'}"
    migrate_with_keys(url)
    world = World(url)
    yield world
    world.close()


def test_a_fault_of_ours_is_json_and_tells_nothing_of_it(broken: World) -> None:
    service = Service.hired(broken)
    order_id = service.place().json()["order_id"]
    broken.transact(lambda unit: unit.change(text('ALTER TABLE "order" RENAME TO lost')))
    for answer in (service.read(order_id), service.list(), service.place()):
        judge(answer, 500, "internal_error")
        assert "lost" not in answer.text
        assert "SELECT" not in answer.text


def test_a_database_that_is_away_is_503_with_a_time_to_come_back(broken: World) -> None:
    service = Service.hired(broken)
    headers = service.bearer
    path = Path(str(broken.database.url.database))
    forget = broken.database.engine.dispose()
    asyncio.run_coroutine_threadsafe(forget, broken._loop).result(10)  # noqa: SLF001 - the loop its engine lives on
    path.rename(path.with_suffix(".away"))
    path.mkdir()
    answer = broken.http.get("/orders", headers=headers)
    judge(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    path.rmdir()
    path.with_suffix(".away").rename(path)
