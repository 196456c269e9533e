"""Each request and answer of the guide, held by a file: these names, these types, nothing more and nothing less."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from authsrv.shop.events import event_body
from authsrv.storage.orders import find_order
from authsrv.storage.stores import find_store
from authsrv.storage.unit import Unit
from tests.actors import Service
from tests.support.golden import is_written_by_the_tests, judge, read_golden
from tests.support.world import World

GOLDEN = Path(__file__).with_name("golden")
PLACEHOLDERS = {
    "<order_id>": re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
    "<time>": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
}


def read(name: str) -> Any:
    return read_golden(GOLDEN / f"{name}.json")


def tell(service: Service, name: str, order_id: str) -> Any:
    """Sends the file's request; the answer's body, once the file agrees with it."""
    story = read(name)
    asked = story["request"]
    body = {"json": asked["body"]} if "body" in asked else {}
    path = asked["path"].replace("<order_id>", order_id)
    answer = service.world.http.request(asked["method"], path, headers=service.bearer, **body)
    assert answer.status_code == story["answer"]["status"], answer.text
    assert answer.headers["content-type"] == "application/json"
    judge(answer.json(), story["answer"]["body"], PLACEHOLDERS)
    return answer.json()


def test_every_operation_of_the_guide_answers_as_its_file_says(world: World) -> None:
    service = Service.hired(world)
    order_id = tell(service, "create", "")["order_id"]
    read_back = tell(service, "get", order_id)
    updated = tell(service, "update", order_id)
    cancelled = tell(service, "cancel", order_id)
    (listed,) = tell(service, "list", order_id)
    assert {each["order_id"] for each in (read_back, updated, cancelled, listed)} == {order_id}
    assert read_back["created_at"] == read_back["updated_at"] < updated["updated_at"] < cancelled["updated_at"]
    assert listed["updated_at"] == cancelled["updated_at"]


def test_an_error_is_the_guides_to_the_letter(world: World) -> None:
    assert tell(Service.hired(world), "error", "").keys() == {"error"}


def test_a_webhooks_body_is_the_guides(world: World) -> None:
    service = Service.hired(world)
    order_id = tell(service, "create", "")["order_id"]
    for status in ("processing", "shipped"):
        service.world.http.put(f"/orders/{order_id}", json={"status": status}, headers=service.bearer)

    def word(unit: Unit) -> bytes:
        store = find_store(unit, service.store or "")
        assert store is not None
        order = find_order(unit, store.id, UUID(order_id), None)
        assert order is not None
        return event_body(order, "order.updated")

    judge(json.loads(world.transact(word)), read("webhook")["body"], PLACEHOLDERS)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: str(path.stem))
def test_a_file_is_written_as_the_tests_would_write_it(path: Path) -> None:
    assert is_written_by_the_tests(path)
