"""Webhooks of an app: added, pinged, changed, switched off and on; every delivery with its request and its answers."""

import html
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from standardwebhooks import Webhook as Verifier

from authsrv.shop.events import queue
from authsrv.storage.audit import list_audit_events
from authsrv.storage.unit import Unit
from authsrv.storage.webhooks import disable_webhook, find_webhook, list_app_webhooks
from tests.actors import ORDER, Service
from tests.portal import Developer, Made, row_of
from tests.support.receiver import Answer, Receiver
from tests.support.traffic import wait_until
from tests.support.world import World


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


def wait_for(is_so: Callable[[], object]) -> None:
    wait_until(lambda: bool(is_so()), seconds=15, what="the webhook's delivery")


class Listening:
    """A developer with an app and a webhook in a store where they work."""

    def __init__(self, world: World, url: str, **typed: object) -> None:
        self.world, self.store = world, world.add_store()
        self.developer = Developer.signed_in(world, stores=(self.store.prefix,), role="staff")
        self.app: Made = self.developer.create()
        self.path = f"{self.app.path}/webhooks"
        self.page = self.add(url, **typed)

    def add(self, url: str, **typed: object) -> httpx.Response:
        wanted = {"url": url, "store": self.store.prefix, **typed}
        return self.developer.submit(self.developer.visit(self.path), self.path, **wanted)

    @property
    def one(self) -> str:
        """Where the newest webhook's page is, below the app."""
        row_id = row_of(self.world, self.app.client_id).id
        webhooks = self.world.transact(lambda unit: list_app_webhooks(unit, row_id))
        return f"/webhooks/{webhooks[0][0].id}"

    def act(self, name: str, **fields: str) -> httpx.Response:
        return self.developer.do(self.app, f"{self.one}{name}", at=self.one, **fields)

    def visit(self) -> httpx.Response:
        return self.developer.visit(self.app.path + self.one)


def secret_in(page: httpx.Response) -> str:
    copied = map(html.unescape, re.findall(r'data-copy="([^"]*)"', page.text))
    return next(text for text in copied if text.startswith("whsec_"))


def verify(received: object, secret: str) -> None:
    """Raises unless the message is signed with this secret, among others."""
    Verifier(secret).verify(received.body, received.headers)  # type: ignore[attr-defined]


def test_an_endpoint_is_added_and_hears_of_an_order(world: World, receiver: Receiver) -> None:
    listening = Listening(world, f"{receiver.url}/hook")
    secret = secret_in(listening.page)
    assert secret not in listening.developer.visit(listening.path).text
    assert secret not in listening.visit().text
    Service.hired(world, store=listening.store.prefix).place(ORDER)
    wait_for(lambda: receiver.requests)
    verify(receiver.requests[0], secret)
    wait_for(lambda: "Delivered" in listening.visit().text)
    detail = re.findall(r'href="([^"]+/deliveries/[^"]+)"', listening.visit().text)[0]
    page = listening.developer.visit(detail)
    assert "order.created" in page.text
    assert "Without a body." in page.text
    assert re.search(r"\d+ ms", page.text)


def test_a_test_message_and_a_new_secret_with_which_both_sign(sqlite_world: World, receiver: Receiver) -> None:
    listening = Listening(sqlite_world, receiver.url)
    old = secret_in(listening.page)
    assert "A test message is on its way" in listening.act("/do/ping").text
    new = secret_in(listening.act("/secret"))
    assert "signs too and ends" in listening.visit().text
    listening.act("/do/ping")
    wait_for(lambda: len(receiver.requests) == 2)
    verify(receiver.requests[0], old)
    for secret in (old, new):
        verify(receiver.requests[1], secret)
    assert json.loads(receiver.requests[1].body)["event"] == "ping"


def test_a_failed_delivery_shows_each_answer_and_is_sent_again(sqlite_world: World, receiver: Receiver) -> None:
    receiver.answer = lambda _: Answer(500, b"<b>out of paper</b>")
    listening = Listening(sqlite_world, receiver.url)
    listening.act("/do/ping")
    wait_for(lambda: "500" in listening.visit().text)
    detail = re.findall(r'href="([^"]+/deliveries/([^"]+))"', listening.visit().text)[0]
    page = listening.developer.visit(detail[0])
    assert "&lt;b&gt;out of paper&lt;/b&gt;" in page.text
    assert "Next try" in page.text
    receiver.answer = lambda _: Answer()
    assert "sent again, under the same" in listening.act("/redeliver", delivery=detail[1]).text
    wait_for(lambda: "Delivered" in listening.visit().text)
    ids = {received.headers["webhook-id"] for received in receiver.requests}
    assert ids == {detail[1]}
    count = len(receiver.requests)
    assert "sent again" in listening.act("/redeliver", since="24").text
    wait_for(lambda: len(receiver.requests) > count)
    for nothing in ({"since": "0"}, {"since": "never"}, {"delivery": "none"}, {}):
        assert "nothing to send again" in listening.act("/redeliver", **nothing).text


def test_an_endpoint_is_switched_off_on_changed_and_removed(sqlite_world: World, receiver: Receiver) -> None:
    listening = Listening(sqlite_world, f"{receiver.url}/old", event=["order.created"])
    assert "is off" in listening.act("/do/disable").text
    assert listening.act("/do/ping").status_code == 409
    assert "is on again" in listening.act("/do/enable").text
    saved = listening.act("", url=f"{receiver.url}/new", event="order.updated")
    assert "The webhook was saved" in saved.text
    listening.act("/do/ping")
    wait_for(lambda: receiver.requests)
    assert receiver.requests[0].path == "/new"
    path = listening.app.path + listening.one
    assert "The webhook was removed" in listening.act("/do/remove").text
    assert listening.developer.visit(path).status_code == 404
    events = sqlite_world.transact(lambda unit: list_audit_events(unit, subject=listening.app.client_id))
    told = [event.event for event in events if event.event.startswith("webhook.")]
    expected = ["deleted", "changed", "enabled", "disabled", "created"]
    assert told == [f"webhook.{event}" for event in expected]


def test_one_that_was_switched_off_says_since_when_and_what_to_do(sqlite_world: World, receiver: Receiver) -> None:
    listening = Listening(sqlite_world, receiver.url)
    webhook_id = UUID(listening.one.rpartition("/")[2])
    assert sqlite_world.transact(lambda unit: disable_webhook(unit, webhook_id))
    assert "Once the endpoint answers again, switch it on" in listening.visit().text


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://hooks.example/a", "must be https"),
        ("https://user@hooks.example/", "no user"),
        ("nonsense", "must name a host"),
        ("", "must name a host"),
        ("https://[::1", "valid host and port"),
        ("https://hooks.example:99999/", "valid host and port"),
    ],
    ids=["plain http", "a user in it", "no URL", "nothing", "half an address", "no such port"],
)
def test_a_url_that_cannot_be_is_refused_at_its_field(sqlite_world: World, url: str, says: str) -> None:
    listening = Listening(sqlite_world, url, event=["order.created"])
    assert listening.page.status_code == 400
    assert says in listening.page.text
    assert f'value="{url}"' in listening.page.text
    assert listening.page.text.count("checked") == 1


def test_deliveries_are_leafed_through(sqlite_world: World) -> None:
    listening = Listening(sqlite_world, "https://hooks.example/")
    row = row_of(sqlite_world, listening.app.client_id)

    def fill(unit: Unit) -> None:
        webhook = find_webhook(unit, list_app_webhooks(unit, row.id)[0][0].id)
        assert webhook is not None
        for _ in range(60):
            delivery = queue(unit, webhook, b"{}", topic=None)
            delivery.due_at += timedelta(days=1)

    sqlite_world.transact(fill)
    seen: list[str] = []
    page = listening.visit()
    for _ in range(3):
        seen += re.findall(r"/deliveries/([0-9a-f-]{36})", page.text)
        following = re.findall(r'rel="next" href="([^"]+)"', page.text)
        page = listening.developer.visit(following[0].replace("&amp;", "&")) if following else page
    assert (len(seen), len(set(seen))) == (60, 60)


def test_anothers_webhook_is_not_there(sqlite_world: World, receiver: Receiver) -> None:
    mine, other = Listening(sqlite_world, receiver.url), Listening(sqlite_world, receiver.url)
    assert mine.developer.visit(mine.app.path + other.one).status_code == 404
    assert mine.developer.visit(other.app.path + other.one).status_code == 404
    for act in ("/do/ping", "/do/remove", "/secret", "/redeliver", ""):
        assert mine.developer.do(mine.app, f"{other.one}{act}", at="/webhooks").status_code == 404
    assert mine.act("/do/nonsense").status_code == 404
