import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID, uuid4

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from authsrv.storage.clients import find_client
from authsrv.storage.grants import Grant
from authsrv.storage.unit import Unit
from authsrv.storage.users import add_user
from tests.people import App, Person
from tests.support.databases import migrate_with_keys
from tests.support.plain_http import NO_TLS
from tests.support.receiver import Answer, Receiver
from tests.support.world import Registered, World

EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture
def world(empty_url: str) -> Iterator[World]:
    """A server that may call this machine, on each engine in turn."""
    migrate_with_keys(empty_url)
    world = World(empty_url, webhook_allow_loopback=True)
    yield world
    world.close()


@dataclass(frozen=True)
class Visit:
    """A person with a session."""

    session_id: UUID
    user_id: UUID


def visit(world: World) -> Visit:
    def work(unit: Unit) -> Visit:
        user = add_user(unit, email=f"{uuid4().hex}@example.com")
        _, signed_in = world.runtime.sessions.begin(unit, user, ["otp"], "", "")
        return Visit(signed_in.session_id, user.id)

    return world.transact(work)


def connect(world: World, client: Registered, who: Visit, **changes: Any) -> None:
    """The person lets the app in."""

    def work(unit: Unit) -> None:
        row, now = find_client(unit, client.client_id), unit.now()
        assert row is not None
        values = {
            "id": unit.new_id(),
            "user_id": who.user_id,
            "client_id": row.id,
            "scope": "openid",
            "requested_scope": "openid",
            "session_id": who.session_id,
            "auth_time": now,
            "created_at": now,
            "expires_at": now + timedelta(days=1),
            **changes,
        }
        unit.session.add(Grant(**values))

    world.transact(work)


def app(world: World, uri: str | None, **values: Any) -> Registered:
    wanted = {"type": "web", "redirect_uris": ["https://app.example/callback"], "scope": "openid", **values}
    return world.add_client(backchannel_logout_uri=uri, **wanted)


def sign_out(world: World, who: Visit) -> None:
    assert world.transact(lambda unit: world.runtime.sessions.end(unit, who.session_id, who.user_id))


def wait_for(receiver: Receiver, count: int = 1) -> None:
    end = time.monotonic() + 10
    while len(receiver.requests) < count:
        assert time.monotonic() < end
        time.sleep(0.01)


def read(world: World, body: bytes) -> jwt.Token:
    """The logout token, checked as an app checks it."""
    keys = KeySet.import_key_set(httpx.get(f"{world.url}/oauth/jwks", verify=NO_TLS).json())
    (text,) = parse_qs(body.decode())["logout_token"]
    return jwt.decode(text, keys, algorithms=["RS256", "ES256"])


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_an_app_hears_of_the_end_of_the_session(world: World, algorithm: str) -> None:
    who = visit(world)
    with Receiver() as receiver:
        client = app(world, f"{receiver.url}/logged-out", id_token_alg=algorithm)
        connect(world, client, who)
        began = time.monotonic()
        sign_out(world, who)
        wait_for(receiver)
        assert time.monotonic() - began < 2
        (received,) = receiver.requests
    assert (received.method, received.path) == ("POST", "/logged-out")
    assert received.headers["content-type"] == "application/x-www-form-urlencoded"
    token = read(world, received.body)
    assert token.header["typ"] == "logout+jwt"
    assert token.header["alg"] == algorithm
    claims = token.claims
    assert claims["iss"] == world.url
    assert claims["aud"] == client.client_id
    assert claims["sub"] == str(who.user_id)
    # The row's own id would let apps compare sessions.
    assert claims["sid"] not in {"", str(who.session_id)}
    assert claims["events"] == {EVENT: {}}
    assert claims["exp"] - claims["iat"] == 120
    assert claims["jti"]
    # Back-Channel Logout 1.0, 2.4: so that it passes for no ID token.
    assert "nonce" not in claims


def test_each_app_hears_once_however_many_grants_it_has(world: World) -> None:
    who = visit(world)
    with Receiver() as receiver:
        clients = [app(world, f"{receiver.url}/{number}") for number in range(3)]
        for client in (*clients, *clients):
            connect(world, client, who)
        sign_out(world, who)
        wait_for(receiver, 3)
        time.sleep(0.3)
        assert sorted(request.path for request in receiver.requests) == ["/0", "/1", "/2"]
        audiences = {read(world, request.body).claims["aud"] for request in receiver.requests}
        assert audiences == {client.client_id for client in clients}


def test_who_has_no_part_in_the_session_hears_nothing(world: World) -> None:
    who, other = visit(world), visit(world)
    with Receiver() as receiver:
        here = app(world, f"{receiver.url}/here")
        connect(world, here, who)
        elsewhere = app(world, f"{receiver.url}/elsewhere")
        connect(world, elsewhere, other)
        ended = app(world, f"{receiver.url}/ended")
        connect(world, ended, who, revoked_at=world.runtime.clock.now())
        expired = app(world, f"{receiver.url}/expired")
        connect(world, expired, who, expires_at=world.runtime.clock.now())
        suspended = app(world, f"{receiver.url}/suspended")
        connect(world, suspended, who)
        world.suspend(suspended)
        connect(world, app(world, None), who)
        sign_out(world, who)
        wait_for(receiver)
        time.sleep(0.3)
        assert [request.path for request in receiver.requests] == ["/here"]


def test_a_pairwise_app_hears_its_own_name_for_the_person(world: World) -> None:
    who = visit(world)
    with Receiver() as receiver:
        client = app(world, receiver.url, subject_type="pairwise")
        connect(world, client, who)
        sign_out(world, who)
        wait_for(receiver)
        subject = read(world, receiver.requests[0].body).claims["sub"]

    def known_as(unit: Unit) -> str:
        registered = world.runtime.server.clients.find(unit, client.client_id)
        assert registered is not None
        return world.runtime.consents.subject_of(unit, who.user_id, registered)

    assert subject == world.transact(known_as) != str(who.user_id)


@pytest.mark.parametrize("subject_type", ["public", "pairwise"])
def test_the_session_has_the_name_it_had_in_the_id_token(world: World, subject_type: str) -> None:
    person = Person.signed_in(world)
    with Receiver() as receiver:
        client = App.registered(world, backchannel_logout_uri=receiver.url, subject_type=subject_type)
        id_token = client.log_in(person)["id_token"]
        keys = KeySet.import_key_set(world.http.get("/oauth/jwks").json())
        claims = jwt.decode(id_token, keys, algorithms=["RS256"]).claims
        person.send(person.visit("/sign-out"), form=-1)
        wait_for(receiver)
        told = read(world, receiver.requests[0].body).claims
    assert (told["sid"], told["sub"]) == (claims["sid"], claims["sub"])


def test_a_repeated_message_carries_a_fresh_token(world: World) -> None:
    who = visit(world)
    answers = iter([Answer(500), Answer(200)])
    with Receiver(lambda _: next(answers)) as receiver:
        connect(world, app(world, receiver.url), who)
        sign_out(world, who)
        wait_for(receiver, 2)
        first, second = (read(world, request.body).claims for request in receiver.requests)
    assert first["jti"] != second["jti"]
    assert first["sid"] == second["sid"]
    assert second["exp"] > first["exp"]


def test_ending_a_session_twice_tells_once(world: World) -> None:
    who = visit(world)
    with Receiver() as receiver:
        connect(world, app(world, receiver.url), who)
        sign_out(world, who)
        assert not world.transact(lambda unit: world.runtime.sessions.end(unit, who.session_id, who.user_id))
        wait_for(receiver)
        time.sleep(0.3)
        assert len(receiver.requests) == 1
