"""Documents that describe clients: which URLs can be theirs, and for how long what they say is kept."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from authsrv.kit.outbound import Fetched, Unreachable
from authsrv.oauth.client_documents import ClientDocuments, is_document_url
from authsrv.oauth.scopes import ScopeCatalogue
from authsrv.settings import config_file
from tests.support.world import ManualClock

SCOPES = ScopeCatalogue.read(config_file("scopes.toml"))
URL = "https://app.example/client.json"
DOCUMENT = {"client_id": URL, "client_name": "An app", "redirect_uris": ["https://app.example/cb"]}
MINUTE, DAY = 60, 86_400


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        (URL, True),
        ("https://app.example:8443/a/b?version=1", True),
        ("https://APP.example/client", True),
        ("https://app.example/a..b/c.", True),
        ("https://app.example", False),
        ("https://app.example/", False),
        ("https://app.example/./client.json", False),
        ("https://app.example/a/..", False),
        ("https://app.example/%2e%2e/client.json", False),
        ("https://app.example/client.json#x", False),
        ("https://user@app.example/client.json", False),
        ("https:///client.json", False),
        ("https://app.example/é", False),
        ("https://app.example/a b", False),
        ("https://app.example/" + "a" * 500, False),
        ("http://app.example/client.json", False),
        ("https://localhost/client.json", False),
        ("http://127.0.0.1/client.json", False),
        ("app_AAAA", False),
        ("", False),
    ],
)
def test_which_urls_can_be_a_client_id(url: str, is_one: bool) -> None:  # noqa: FBT001
    assert is_document_url(url, allow_loopback=False) is is_one


def test_this_machine_counts_only_where_it_may_be_called() -> None:
    for url in ("http://127.0.0.1:9000/client.json", "http://localhost/client.json"):
        assert is_document_url(url, allow_loopback=True)


class Shelf:
    """Where the document is: what it says now, how often it was asked."""

    def __init__(self, cache_control: str = "") -> None:
        self.document: Any = DOCUMENT
        self.cache_control = cache_control
        self.is_away = False
        self.count = 0

    async def fetch(self, url: str, most: int) -> Fetched:
        self.count += 1
        await asyncio.sleep(0)
        if self.is_away:
            raise Unreachable("away")
        return Fetched(self.document, self.cache_control)

    def documents(self, clock: ManualClock) -> ClientDocuments:
        return ClientDocuments(self.fetch, SCOPES, clock, is_on=True, allow_loopback=False)


def seconds_until_due(documents: ClientDocuments, clock: ManualClock) -> int:
    """The first of these seconds at which it is due."""
    began, last = clock.monotonic(), 0
    for seconds in sorted({1, 9, 10, 11, 59, 60, 61, 299, 300, 301, 599, 600, 601, DAY - 1, DAY, DAY + 1}):
        clock.move(timedelta(seconds=seconds - last))
        last = seconds
        if documents.is_due(URL):
            return int(clock.monotonic() - began)
    raise AssertionError("never")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("cache_control", "seconds"),
    [
        ("", 600),
        ("max-age=300", 300),
        ("public, MAX-AGE=300, must-revalidate", 300),
        ("max-age=1", MINUTE),
        ("max-age=0", MINUTE),
        ("max-age=99999999", DAY),
        ("no-store", MINUTE),
        ("no-cache, max-age=300", MINUTE),
        ("max-age=soon", 600),
        ("s-maxage=300", 600),
    ],
)
async def test_a_document_is_kept_as_long_as_it_says_within_bounds(
    clock: ManualClock, cache_control: str, seconds: int
) -> None:
    documents = Shelf(cache_control).documents(clock)
    assert documents.is_due(URL)
    await documents.prepare(URL)
    assert seconds_until_due(documents, clock) == seconds


@pytest.mark.anyio
async def test_of_many_who_want_it_at_once_one_fetches(clock: ManualClock) -> None:
    shelf = Shelf()
    documents = shelf.documents(clock)
    await asyncio.gather(*(documents.prepare(URL) for _ in range(20)))
    assert shelf.count == 1
    assert documents.recall(URL) is not None


@pytest.mark.anyio
async def test_while_its_server_is_away_it_does_for_an_hour_more(clock: ManualClock) -> None:
    shelf = Shelf()
    documents = shelf.documents(clock)
    await documents.prepare(URL)
    shelf.is_away = True
    clock.move(timedelta(seconds=601))
    await documents.prepare(URL)
    assert documents.recall(URL) is not None
    assert not documents.is_due(URL)
    clock.move(timedelta(seconds=10))
    assert documents.is_due(URL)
    clock.move(timedelta(seconds=3600))
    assert documents.recall(URL) is None


@pytest.mark.anyio
async def test_a_document_that_became_none_counts_no_more_at_once(clock: ManualClock) -> None:
    shelf = Shelf()
    documents = shelf.documents(clock)
    await documents.prepare(URL)
    shelf.document = {**DOCUMENT, "client_id": "https://elsewhere.example/client.json"}
    clock.move(timedelta(seconds=601))
    await documents.prepare(URL)
    assert documents.recall(URL) is None


@pytest.mark.anyio
async def test_a_flood_of_urls_fills_no_memory(clock: ManualClock) -> None:
    shelf = Shelf()
    documents = shelf.documents(clock)
    for number in range(1100):
        await documents.prepare(f"https://app.example/{number}")
    assert documents.is_due("https://app.example/0")
    assert not documents.is_due("https://app.example/1099")
