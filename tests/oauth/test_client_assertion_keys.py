import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from joserfc.jwk import Key

from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.outbound import Unreachable
from authsrv.kit.public_keys import read_public_keys
from authsrv.oauth.client_keys import ClientKeys
from authsrv.oauth.clients import RegisteredClient, registered
from authsrv.oauth.registration import NewClient, create_client, new_client_id
from authsrv.oauth.scopes import ScopeCatalogue
from authsrv.settings import config_file
from authsrv.storage.unit import Unit
from tests.oauth.test_client_assertion import ask, assert_refused, claims_for, named_key, public_set, signed
from tests.support.plain_http import NO_TLS
from tests.support.receiver import Answer, Received, Receiver
from tests.support.world import ManualClock, Registered, World

SCOPES = ScopeCatalogue.read(config_file("scopes.toml"))


class Publisher:
    """Where a client's keys are published, without a network."""

    def __init__(self, *keys: Key) -> None:
        self.document: Any = public_set(*keys)
        self.is_away = False
        self.asked = 0

    async def fetch(self, url: str) -> Any:
        self.asked += 1
        await asyncio.sleep(0)
        if self.is_away:
            raise Unreachable("cannot be reached")
        return self.document


@pytest.fixture
def client(unit: Unit) -> RegisteredClient:
    new = NewClient(
        name="Job",
        developer="dev@example.com",
        type="service",
        auth_method="private_key_jwt",
        jwks_uri="https://app.example/jwks",
    )
    row = create_client(unit, new, client_id=new_client_id(SystemEntropy()), actor="test", scopes=SCOPES)
    return registered(row, None, (), "")


@pytest.fixture
def open_world(sqlite_file: str) -> Iterator[World]:
    """A server that may call this machine."""
    world = World(sqlite_file, webhook_allow_loopback=True)
    yield world
    world.close()


def hire(world: World, url: str) -> Registered:
    return world.add_client(auth_method="private_key_jwt", jwks_uri=url, scope="orders:read")


def names(keys: ClientKeys, client: RegisteredClient) -> set[str | None]:
    return {key.kid for key in keys.find(client)}


def test_keys_are_read_where_the_client_publishes_them(open_world: World) -> None:
    key = named_key()
    with Receiver(lambda _: Answer(body=httpx.Response(200, json=public_set(key)).content)) as publisher:
        client = hire(open_world, f"{publisher.url}/jwks")
        for _ in range(3):
            assert ask(open_world, signed(key, claims_for(open_world, client))).is_success
        assert_refused(ask(open_world, signed(named_key(), claims_for(open_world, client))))
        assert [request.path for request in publisher.requests] == ["/jwks"]


def test_a_server_that_may_not_call_this_machine_does_not(sqlite_file: str) -> None:
    key, strict_world = named_key(), World(sqlite_file)
    with Receiver(lambda _: Answer(body=httpx.Response(200, json=public_set(key)).content)) as publisher:
        client = hire(strict_world, f"{publisher.url}/jwks")
        assert_refused(ask(strict_world, signed(key, claims_for(strict_world, client))))
        assert publisher.requests == []
    strict_world.close()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(500), id="a failure"),
        pytest.param(Answer(body=b"<html>"), id="a page"),
        pytest.param(Answer(body=b"[]"), id="a list"),
        pytest.param(Answer(body=b'{"keys": [1, {"kty": "EC"}, {"kty": ["RSA"]}, {"kid": 1}]}'), id="nonsense"),
        pytest.param(Answer(body=b" " * 70_000), id="too much"),
    ],
)
def test_what_is_no_key_set_refuses_and_breaks_nothing(open_world: World, answer: Answer) -> None:
    with Receiver(lambda _: answer) as publisher:
        client = hire(open_world, publisher.url)
        assert_refused(ask(open_world, signed(named_key(), claims_for(open_world, client))))


def test_nobody_makes_the_server_fetch_for_a_client_that_uses_a_secret(open_world: World) -> None:
    with Receiver() as publisher:
        client = open_world.add_client(jwks_uri=publisher.url)
        assert_refused(ask(open_world, signed(named_key(), claims_for(open_world, client))))
        assert publisher.requests == []


def test_a_client_that_is_waited_for_does_not_hold_up_the_others(open_world: World) -> None:
    def stall(_: Received) -> Answer:
        time.sleep(2)
        return Answer(500)

    with Receiver(stall) as publisher:
        slow, quick = hire(open_world, publisher.url), open_world.add_client(scope="orders:read")
        with httpx.Client(verify=NO_TLS, base_url=open_world.url, timeout=10) as http, ThreadPoolExecutor(8) as threads:
            waiting = [
                threads.submit(ask, open_world, signed(named_key(), claims_for(open_world, slow))) for _ in range(7)
            ]
            answer = http.post(
                "/oauth/token",
                data={"grant_type": "client_credentials"},
                auth=(quick.client_id, quick.client_secret),
            )
            assert answer.is_success
            assert not any(request.done() for request in waiting)
        assert len(publisher.requests) == 1


async def test_many_who_need_a_key_fetch_it_once(client: RegisteredClient, clock: ManualClock) -> None:
    publisher = Publisher(named_key())
    keys = ClientKeys(publisher.fetch, clock)
    await asyncio.gather(*(keys.prepare(client, None) for _ in range(100)))
    assert publisher.asked == 1
    assert len(keys.find(client)) == 1


async def test_a_new_key_is_found_within_a_minute(client: RegisteredClient, clock: ManualClock) -> None:
    old, new = named_key(), named_key()
    publisher = Publisher(old)
    keys = ClientKeys(publisher.fetch, clock)
    await keys.prepare(client, old.kid)
    publisher.document = public_set(new)
    await keys.prepare(client, new.kid)
    assert names(keys, client) == {old.kid}
    clock.move(timedelta(seconds=61))
    await keys.prepare(client, new.kid)
    assert names(keys, client) == {new.kid}


async def test_made_up_key_names_cost_one_fetch_a_minute(client: RegisteredClient, clock: ManualClock) -> None:
    publisher = Publisher(named_key())
    keys = ClientKeys(publisher.fetch, clock)
    for second in range(600):
        await keys.prepare(client, f"made up {second}")
        clock.move(timedelta(seconds=1))
    assert publisher.asked == 10


async def test_a_key_taken_out_is_gone_after_ten_minutes(client: RegisteredClient, clock: ManualClock) -> None:
    key = named_key()
    publisher = Publisher(key)
    keys = ClientKeys(publisher.fetch, clock)
    await keys.prepare(client, key.kid)
    publisher.document = {"keys": []}
    clock.move(timedelta(seconds=601))
    await keys.prepare(client, key.kid)
    assert names(keys, client) == set()


async def test_while_the_publisher_is_away_known_keys_count_for_an_hour(
    client: RegisteredClient, clock: ManualClock
) -> None:
    key = named_key()
    publisher = Publisher(key)
    keys = ClientKeys(publisher.fetch, clock)
    await keys.prepare(client, key.kid)
    publisher.is_away = True
    for _ in range(59):
        clock.move(timedelta(minutes=1))
        await keys.prepare(client, key.kid)
        assert names(keys, client) == {key.kid}
    clock.move(timedelta(minutes=2))
    await keys.prepare(client, key.kid)
    assert names(keys, client) == set()
    publisher.is_away = False
    clock.move(timedelta(seconds=11))
    await keys.prepare(client, key.kid)
    assert names(keys, client) == {key.kid}


@pytest.mark.parametrize("kid", [pytest.param(None, id="no name"), pytest.param("named", id="a name")])
async def test_a_first_fetch_that_fails_is_tried_again_soon(
    client: RegisteredClient, clock: ManualClock, kid: str | None
) -> None:
    publisher = Publisher(named_key())
    publisher.is_away = True
    keys = ClientKeys(publisher.fetch, clock)
    await keys.prepare(client, kid)
    await keys.prepare(client, kid)
    assert publisher.asked == 1
    publisher.is_away = False
    clock.move(timedelta(seconds=11))
    await keys.prepare(client, kid)
    assert len(keys.find(client)) == 1


def test_of_a_set_only_what_can_check_a_signature_is_read() -> None:
    good = named_key().as_dict(private=False)
    passed_over = [
        {**good, "use": "enc"},
        {**good, "alg": "ES384"},
        named_key().as_dict(private=True),
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "new", "x": "y"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        "nonsense",
    ]
    assert [key.kid for key in read_public_keys({"keys": [*passed_over, good]})] == [good["kid"]]


@pytest.mark.parametrize("document", [None, [], "keys", {}, {"keys": None}, {"keys": {}}])
def test_what_is_no_set_has_no_keys(document: Any) -> None:
    assert read_public_keys(document) == ()
