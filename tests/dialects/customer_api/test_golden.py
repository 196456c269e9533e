"""Each request and answer of the document, held by a file: these headers, these names, these types, in this order."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.dialects.customer_api.shopper import Shopper
from tests.support.databases import migrate_with_keys
from tests.support.world import ManualClock, World

GOLDEN = Path(__file__).with_name("golden")
STORIES = sorted(path.stem for path in GOLDEN.glob("*.json"))
PLACEHOLDERS = {
    "<order_id>": re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
    "<time>": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
    "<access_token>": re.compile(r"[\w-]+\.[\w-]+\.[\w-]+"),
}


def judge(found: object, golden: object, where: str = "body") -> None:
    """Raises AssertionError where what was found is not what the file says."""
    if isinstance(golden, str) and golden in PLACEHOLDERS:
        assert isinstance(found, str), where
        assert PLACEHOLDERS[golden].fullmatch(found), where
        return
    assert type(found) is type(golden), where
    if isinstance(golden, dict):
        assert isinstance(found, dict)
        assert list(found) == list(golden), where
        for name, value in golden.items():
            judge(found[name], value, f"{where}.{name}")
    elif isinstance(golden, list):
        assert isinstance(found, list)
        assert len(found) == len(golden), where
        for at, value in enumerate(golden):
            judge(found[at], value, f"{where}[{at}]")
    else:
        assert found == golden, where


def read(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text())


class Teller:
    """Sends what the files say to a server behind a proxy that vouches for HTTPS."""

    def __init__(self, world: World, clock: ManualClock) -> None:
        self.shopper = Shopper.allowed(world)
        self.clock = clock
        self._token = ""

    def tell(self, name: str) -> None:
        """Raises AssertionError where the answer is not what the file says."""
        story = read(name)
        answer = self._send(story["request"])
        wanted = story["answer"]
        assert answer.status_code == wanted["status"], answer.text
        shown = {header: answer.headers.get(header) for header in ("Content-Type", "Content-Encoding")}
        assert {header: text for header, text in shown.items() if text is not None} == wanted["headers"]
        judge(answer.json(), wanted["body"])
        if name == "token":
            self._token = answer.json()["access_token"]

    def _send(self, request: Any) -> httpx.Response:
        headers = {"X-Forwarded-Proto": "https", "Host": f"{self.shopper.prefix}.shops.example", **request["headers"]}
        headers = {header: text.replace("<access_token>", self._token) for header, text in headers.items()}
        body = request.get("body", "")
        if isinstance(body, str):
            for name, text in self.shopper.pair.items():
                body = body.replace(f"<{name}>", text)
        else:
            body = json.dumps(body)
        return self.shopper.world.http.request(request["method"], request["path"], headers=headers, content=body)


@pytest.fixture
def teller(tmp_path: Path, clock: ManualClock) -> Iterator[Teller]:
    url = f"sqlite:///{tmp_path / 'authsrv.db'}"
    migrate_with_keys(url)
    hosts = {"issuer": "https://auth.shops.example", "store_hosts": "{prefix}.shops.example"}
    world = World(url, clock=clock, trusted_proxies="127.0.0.1", **hosts)
    yield Teller(world, clock)
    world.close()


def test_every_request_of_the_document_is_answered_as_its_file_says(teller: Teller) -> None:
    """Sentences 1 to 4, 8, 9, 13 and 19 to 26."""
    told = ["bad_client", "token", "products_by_code", "products_by_brand_and_code", "send_order", "list_orders"]
    told += ["invalid_token", "without_gzip", "over_plain_http"]
    for name in told:
        teller.tell(name)
    teller.clock.move(timedelta(hours=1))
    teller.tell("expired_token")
    teller.tell("token")
    teller.shopper.withdraw()
    teller.tell("not_allowed")
    assert sorted([*told, "expired_token", "not_allowed"]) == STORIES


@pytest.mark.parametrize("name", STORIES)
def test_a_file_is_written_as_the_tests_would_write_it(name: str) -> None:
    path = GOLDEN / f"{name}.json"
    assert path.read_text() == json.dumps(json.loads(path.read_text()), indent=2) + "\n"
