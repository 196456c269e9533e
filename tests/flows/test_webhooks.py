"""A shop's events reach who listens: signed, in order, repeated until they arrive, never to inner addresses."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks import Webhook as Verifier

from authsrv.identity.stores import KnownStore, known_store
from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.errors import DomainError
from authsrv.kit.secret_keys import SecretKeys
from authsrv.kit.vault import Vault
from authsrv.oauth.registration import resume_client, suspend_client
from authsrv.shop.webhooks import Webhooks
from authsrv.storage.clients import find_client
from authsrv.storage.deliveries import Delivery, list_deliveries, redeliver
from authsrv.storage.unit import Unit
from authsrv.storage.webhooks import DeliveryAttempt, Webhook, find_webhook, list_attempts, save_webhook
from tests.actors import ORDER, Service
from tests.engines import on_postgresql_alone
from tests.people import App
from tests.support.receiver import Answer, Receiver
from tests.support.traffic import wait_until
from tests.support.world import SECRET_KEY, World


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


def events(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(received.body) for received in receiver.requests]


def wait_for(is_so: Callable[[], object]) -> None:
    wait_until(lambda: bool(is_so()), seconds=15, what="the webhook's delivery")


def ordered(shop: Service) -> str:
    order_id: str = shop.place(ORDER).json()["order_id"]
    return order_id


def webhooks(*, allow_loopback: bool = True, secret_key: str = SECRET_KEY) -> Webhooks:
    entropy = SystemEntropy()
    return Webhooks(Vault(SecretKeys([secret_key]), "webhook secret", entropy), entropy, allow_loopback=allow_loopback)


def listen(world: World, prefix: str, url: str, *events: str) -> tuple[UUID, str]:
    """An endpoint of the store; its id and secret."""

    def work(unit: Unit) -> tuple[UUID, str]:
        store = world.runtime.stores.find(unit, prefix)
        assert isinstance(store, KnownStore)
        webhook, secret = webhooks().create(unit, store, url, events, developer_id=None, actor="test")
        return webhook.id, secret

    return world.transact(work)


def deliveries(world: World, webhook_id: UUID) -> list[Delivery]:
    return world.transact(lambda unit: list_deliveries(unit, webhook_id, 100))


def attempts(world: World, delivery: Delivery) -> list[DeliveryAttempt]:
    return world.transact(lambda unit: list_attempts(unit, delivery.id))


def test_an_order_is_told_of_exactly_as_the_guide_prints_it(world: World, receiver: Receiver) -> None:
    shop = Service.hired(world)
    assert shop.store is not None
    _, secret = listen(world, shop.store, receiver.url)
    order_id = ordered(shop)
    wait_for(lambda: receiver.requests)
    headers, body = receiver.requests[0].headers, receiver.requests[0].body
    event = json.loads(body)
    assert event.keys() == {"event", "data"}
    assert event["event"] == "order.created"
    assert event["data"].keys() == {"order_id", "status", "updated_at"}
    assert (event["data"]["order_id"], event["data"]["status"]) == (order_id, "pending")
    Verifier(secret).verify(body, headers)


def test_events_of_one_order_arrive_in_their_order(world: World, receiver: Receiver) -> None:
    shop = Service.hired(world)
    assert shop.store is not None
    listen(world, shop.store, receiver.url)
    order_id = ordered(shop)
    for status in ("processing", "shipped", "delivered"):
        assert world.http.put(f"/orders/{order_id}", json={"status": status}, headers=shop.bearer).is_success
    wait_for(lambda: len(receiver.requests) == 4)
    assert [event["data"]["status"] for event in events(receiver)] == ["pending", "processing", "shipped", "delivered"]


def test_only_the_events_that_were_chosen_are_sent(world: World, receiver: Receiver) -> None:
    shop = Service.hired(world)
    assert shop.store is not None
    listen(world, shop.store, receiver.url, "order.cancelled")
    order_id = ordered(shop)
    assert world.http.delete(f"/orders/{order_id}", headers=shop.bearer).is_success
    wait_for(lambda: receiver.requests)
    assert [event["event"] for event in events(receiver)] == ["order.cancelled"]


def test_a_failed_delivery_is_logged_and_waits_for_its_next_try(world: World, receiver: Receiver) -> None:
    shop = Service.hired(world)
    assert shop.store is not None
    receiver.answer = lambda _: Answer(500, b"noted")
    webhook_id, _ = listen(world, shop.store, receiver.url)
    ordered(shop)
    wait_for(lambda: any(delivery.last_error for delivery in deliveries(world, webhook_id)))
    (delivery,) = deliveries(world, webhook_id)
    assert (delivery.last_status, delivery.done_at) == (500, None)
    (attempt,) = attempts(world, delivery)
    assert (attempt.status, attempt.error, attempt.answer) == (500, "answered 500", "noted")
    # The first wait is five seconds; a person need not wait.
    assert world.transact(lambda unit: redeliver(unit, webhook_id, delivery_id=delivery.id)) == 1
    wait_for(lambda: len(receiver.requests) == 2)
    first, second = (received.headers["webhook-id"] for received in receiver.requests)
    assert first == second == str(delivery.id)


def test_what_was_switched_off_before_it_was_told_is_not_delivered(world: World, receiver: Receiver) -> None:
    shop = Service.hired(world)
    assert shop.store is not None
    receiver.answer = lambda _: Answer(500)
    webhook_id, _ = listen(world, shop.store, receiver.url)
    ordered(shop)
    wait_for(lambda: any(delivery.last_error for delivery in deliveries(world, webhook_id)))

    def switch_off(unit: Unit) -> None:
        webhook = find_webhook(unit, webhook_id)
        assert webhook is not None
        webhooks().disable(unit, webhook, actor="test")
        redeliver(unit, webhook_id)

    world.transact(switch_off)
    wait_for(lambda: deliveries(world, webhook_id)[0].done_at)
    (delivery,) = deliveries(world, webhook_id)
    # A failure, which can be asked for again once it listens; no try that nobody made.
    assert delivery.last_error == "not sent: nobody listens there any more"
    assert len(attempts(world, delivery)) == len(receiver.requests) == 1
    webhook = world.transact(lambda unit: find_webhook(unit, webhook_id))
    assert webhook is not None
    assert webhook.failing_since is not None


def test_a_suspended_app_hears_of_no_order(world: World, receiver: Receiver) -> None:
    shop, app = Service.hired(world), App.registered(world)
    assert shop.store is not None
    webhook_id, _ = listen(world, shop.store, receiver.url)

    def change(unit: Unit, act: Callable[..., None]) -> None:
        client = find_client(unit, app.credentials.client_id)
        assert client is not None
        webhook = find_webhook(unit, webhook_id)
        assert webhook is not None
        webhook.client_id = client.id
        save_webhook(unit, webhook)
        act(unit, client, actor="test", reason="a test")

    world.transact(lambda unit: change(unit, suspend_client))
    ordered(shop)
    assert deliveries(world, webhook_id) == []
    world.transact(lambda unit: change(unit, resume_client))
    heard_of = ordered(shop)
    wait_for(lambda: receiver.requests)
    assert [event["data"]["order_id"] for event in events(receiver)] == [heard_of]


def test_two_secrets_sign_while_a_receiver_changes_over(world: World, receiver: Receiver) -> None:
    shop = Service.hired(world)
    assert shop.store is not None
    webhook_id, old = listen(world, shop.store, receiver.url)

    def rotate(unit: Unit) -> str:
        webhook = find_webhook(unit, webhook_id)
        assert isinstance(webhook, Webhook)
        return webhooks().rotate_secret(unit, webhook, actor="test")

    new = world.transact(rotate)
    ordered(shop)
    wait_for(lambda: receiver.requests)
    headers, body = receiver.requests[0].headers, receiver.requests[0].body
    for secret in (old, new):
        Verifier(secret).verify(body, headers)


def test_a_new_secret_mends_a_webhook_whose_old_one_cannot_be_opened(world: World, receiver: Receiver) -> None:
    shop = Service.hired(world)
    assert shop.store is not None
    webhook_id, _ = listen(world, shop.store, receiver.url)

    def lose_and_rotate(unit: Unit) -> str:
        webhook = find_webhook(unit, webhook_id)
        assert isinstance(webhook, Webhook)
        webhooks(secret_key="one that this server does not hold any more").rotate_secret(unit, webhook, actor="test")
        return webhooks().rotate_secret(unit, webhook, actor="test")

    new = world.transact(lose_and_rotate)
    ordered(shop)
    wait_for(lambda: receiver.requests)
    Verifier(new).verify(receiver.requests[0].body, receiver.requests[0].headers)


BAD_URLS = {
    "plain http": "http://hooks.example/in",
    "a user in it": "https://me:secret@hooks.example/in",
    "a fragment": "https://hooks.example/in#there",
    "no host": "https:///in",
    "another scheme": "ftp://hooks.example/in",
    "this machine": "https://127.0.0.1/in",
    "a line end": "https://hooks.example/in\r\nX: y",
}


@pytest.mark.parametrize("url", BAD_URLS.values(), ids=BAD_URLS.keys())
@on_postgresql_alone()
def test_an_endpoint_that_cannot_be_is_refused(world: World, url: str) -> None:
    store = world.add_store()
    known = known_store(store)

    def work(unit: Unit) -> None:
        webhooks(allow_loopback=False).create(unit, known, url, [], developer_id=None, actor="test")

    with pytest.raises(DomainError) as refused:
        world.transact(work)
    assert refused.value.code == "invalid_webhook"


def test_an_inner_address_is_never_reached(sqlite_file: str, receiver: Receiver) -> None:
    """This server has no leave to reach loopback: the try is refused at connect, and nothing arrives."""
    world = World(sqlite_file)
    shop = Service.hired(world)
    assert shop.store is not None
    webhook_id, _ = listen(world, shop.store, receiver.url)
    ordered(shop)
    wait_for(lambda: any(delivery.last_error for delivery in deliveries(world, webhook_id)))
    assert receiver.requests == []
    world.close()
