"""The reference: one document for programs and people, and samples that run as the page prints them."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from tests.actors import Service
from tests.support.plain_http import NO_TLS
from tests.support.server import ServerProcess
from tests.support.world import World

OPERATIONS = ("createOrder", "listOrders", "getOrder", "updateOrder", "cancelOrder")
RUNNERS = {"curl": ("bash", "-euo", "pipefail"), "python": (sys.executable, "-"), "javascript": ("node", "-")}


class Listings(HTMLParser):
    """The text of each block of code on a page, by its id (or its number)."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._id = ""
        self._is_inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "div" and values.get("class") == "listing":
            self._id = values.get("id") or str(len(self.found))
        if tag == "pre":
            self._is_inside = True
            self.found[self._id] = ""

    def handle_endtag(self, tag: str) -> None:
        self._is_inside = self._is_inside and tag != "pre"

    def handle_data(self, data: str) -> None:
        if self._is_inside:
            self.found[self._id] += data


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("demo"), {"AUTHSRV_DEMO": "true"}) as server:
        yield server


@pytest.fixture(scope="module")
def listings(demo: ServerProcess) -> dict[str, str]:
    page = httpx.get(f"{demo.url}/docs", verify=NO_TLS)
    assert page.status_code == 200
    return Listings(page.text).found


def run(program: tuple[str, ...], script: str, **environment: str) -> str:
    """What the script prints; AssertionError with all it said when it fails."""
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not installed")
    finished = subprocess.run(
        program,
        input=script,
        env={"PATH": os.environ.get("PATH", os.defpath), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.mark.parametrize("language", RUNNERS)
def test_every_sample_on_the_page_runs_against_the_demo_as_it_stands(listings: dict[str, str], language: str) -> None:
    credential = run(RUNNERS["curl"], listings["credential"] + 'printf %s "$API_KEY"\n')
    assert credential.startswith("ey")
    printed = {
        operation: run(RUNNERS[language], listings[f"{operation}-{language}-code"], API_KEY=credential)
        for operation in OPERATIONS
    }
    assert all(re.search(r"""['"]?order_id['"]?: ?['"]""", text) for text in printed.values()), printed
    assert "pending" in printed["createOrder"]
    assert "A100" in printed["getOrder"]
    assert "processing" in printed["updateOrder"]
    assert "cancelled" in printed["cancelOrder"]
    assert printed["listOrders"].lstrip()[0] in "[123456789"
    if language == "curl":
        assert all(json.loads(text) for text in printed.values())


def test_no_sample_holds_a_credential(listings: dict[str, str]) -> None:
    samples = [text for name, text in listings.items() if name.endswith("-code")]
    assert len(samples) == len(OPERATIONS) * len(RUNNERS)
    assert all("API_KEY" in text and "cs_" not in text for text in samples)


def test_outside_a_demo_the_page_shows_no_credential(sqlite_world: World) -> None:
    page = sqlite_world.http.get("/docs")
    assert page.status_code == 200
    assert "export API_KEY=YOUR_API_KEY" in page.text
    assert "cs_" not in page.text
    assert "demo" not in page.text


def test_the_page_needs_nothing_from_elsewhere_and_no_script(sqlite_world: World) -> None:
    page = sqlite_world.http.get("/docs")
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'; script-src 'self'")
    assert set(re.findall(r'(?:src|href)="(https?:[^"]+)"', page.text)) == {"https://www.standardwebhooks.com/"}
    assert re.search(r"<script>|style=|onclick=", page.text) is None
    links = set(re.findall(r'href="#([^"]+)"', page.text))
    assert links <= set(re.findall(r'id="([^"]+)"', page.text))


def test_the_page_tells_what_the_interfaces_promise(sqlite_world: World) -> None:
    page = sqlite_world.http.get("/docs").text
    for word in (
        *("invalid_parameter", "unauthorized", "insufficient_scope", "not_found", "method_not_allowed"),
        *("invalid_transition", "payload_too_large", "unsupported_media_type", "idempotency_conflict"),
        *("rate_limited", "internal_error", "unavailable", "Retry-After", "X-Total-Count", "Idempotency-Key"),
        *("webhook-id", "webhook-timestamp", "webhook-signature", "order.created", "order.updated", "order.cancelled"),
    ):
        assert word in page, word


def test_any_origin_may_read_the_document(sqlite_world: World) -> None:
    answer = sqlite_world.http.get("/openapi.json", headers={"Origin": "https://editor.example"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json()["openapi"].startswith("3.1.")
    assert answer.json()["servers"] == [{"url": sqlite_world.url}]


def test_a_store_named_by_the_path_has_a_reference_of_its_own(sqlite_world: World) -> None:
    described = sqlite_world.http.get("/stores/harbour/openapi.json").json()
    assert described["servers"] == [{"url": f"{sqlite_world.url}/stores/harbour"}]
    assert f"curl {sqlite_world.url}/stores/harbour/orders" in sqlite_world.http.get("/stores/harbour/docs").text


def test_the_document_names_every_operation_and_refusal(sqlite_world: World) -> None:
    described: dict[str, Any] = sqlite_world.http.get("/openapi.json").json()
    operations = {
        said["operationId"]: said
        for methods in described["paths"].values()
        for name, said in methods.items()
        if name != "parameters"
    }
    assert set(operations) == set(OPERATIONS)
    for said in operations.values():
        assert {"401", "403", "429", "500", "503"} <= set(said["responses"])
    assert set(described["webhooks"]) == {"order.created", "order.updated", "order.cancelled"}


def test_an_answer_has_exactly_the_members_of_its_model(sqlite_world: World) -> None:
    described = sqlite_world.http.get("/openapi.json").json()["components"]["schemas"]
    service = Service.hired(sqlite_world)
    placed = service.place().json()
    assert list(described["CreatedOut"]["properties"]) == list(placed)
    assert list(described["OrderOut"]["properties"]) == list(service.read(placed["order_id"]).json())
