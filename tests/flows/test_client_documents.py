"""Apps that name themselves by the URL of a document (draft-ietf-oauth-client-id-metadata-document-02)."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from sqlmodel import select

from authsrv.oauth.registration import approve_client
from authsrv.storage.clients import Client, find_client
from authsrv.storage.grants import Grant
from authsrv.storage.registrations import Registration, prune_registrations
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_user_by_id
from tests.conftest import ENGINES
from tests.engines import on_postgresql_alone
from tests.people import CALLBACK, App, Person, answer_in, forms_of
from tests.support.receiver import Answer, Received, Receiver
from tests.support.world import ALONE, ManualClock, Registered, World

NO_LIMIT = {"registration_per_address": "off", "token_per_client": "off"}
FLOW = {"scope": "openid"}


class Publisher:
    """A web server that describes apps; each by what it says now, whole answers included."""

    def __init__(self) -> None:
        self.said: dict[str, Answer] = {}
        self.receiver = Receiver(self._answer)

    def publish(self, *, headers: tuple[tuple[str, str], ...] = (), path: str = "", **changed: Any) -> str:
        """The client_id of an app with this document; a field set to ... is left out."""
        path = path or f"/{uuid4().hex}/client.json"
        url = f"{self.receiver.url}{path}"
        document = {
            "client_id": url,
            "client_name": "A described app",
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
            **changed,
        }
        body = json.dumps({name: value for name, value in document.items() if value is not ...}).encode()
        self.said[path] = Answer(200, body, (("Content-Type", "application/json"), *headers))
        return url

    def say(self, answer: Answer) -> str:
        path = f"/{uuid4().hex}/client.json"
        self.said[path] = answer
        return f"{self.receiver.url}{path}"

    def asked_for(self, url: str) -> int:
        return sum(url.endswith(request.path) for request in self.receiver.requests)

    def _answer(self, request: Received) -> Answer:
        return self.said.get(request.path, Answer(404))


@pytest.fixture(scope="module")
def publisher() -> Iterator[Publisher]:
    publisher = Publisher()
    with publisher.receiver:
        yield publisher


@pytest.fixture(scope="module")
def sqlite_described(new_database: Callable[[str], str]) -> Iterator[World]:
    yield from _serve(new_database("sqlite"))


@pytest.fixture(scope="module")
def postgresql_described(new_database: Callable[[str], str]) -> Iterator[World]:
    yield from _serve(new_database("postgresql"))


@pytest.fixture(params=ENGINES)
def world(request: pytest.FixtureRequest) -> World:
    """A server that may fetch documents from this machine, on each engine in turn."""
    running: World = request.getfixturevalue(f"{request.param}_described")
    return running


def _serve(url: str, **settings: Any) -> Iterator[World]:
    world = World(url, **{"webhook_allow_loopback": True, "limits": NO_LIMIT, "feed": ALONE, **settings})
    yield world
    world.close()


def app_of(world: World, client_id: str, redirect_uri: str = CALLBACK) -> App:
    return App(world, Registered(client_id, ""), is_public=True, redirect_uri=redirect_uri)


def row_of(world: World, client_id: str) -> Client | None:
    return world.transact(lambda unit: find_client(unit, client_id))


def test_an_app_that_nobody_registered_logs_a_person_in(world: World, publisher: Publisher) -> None:
    client_id = publisher.publish()
    app, person = app_of(world, client_id), Person.signed_in(world)
    page = person.visit(app.authorize_url(**FLOW))
    assert page.url.path == "/consent"
    assert f"From <strong>127.0.0.1:{publisher.receiver.port}</strong>" in page.text
    assert "Not approved" in page.text
    # Looking leaves no trace; only what somebody allows does.
    assert row_of(world, client_id) is None
    tokens = app.log_in(person, **FLOW)
    row = row_of(world, client_id)
    assert row is not None
    assert (row.origin, row.name) == ("document", "A described app")
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert world.http.get("/oauth/userinfo", headers=bearer).json()["sub"] == str(person.user_id)
    # Asked once; and the document was fetched once for all of it.
    assert "code" in answer_in(person.visit(app.authorize_url(**FLOW)))
    assert publisher.asked_for(client_id) == 1


def test_who_said_no_to_it_is_asked_again(world: World, publisher: Publisher) -> None:
    client_id = publisher.publish()
    app, person = app_of(world, client_id), Person.signed_in(world)
    page = person.visit(app.authorize_url(**FLOW))
    assert answer_in(person.send(page, decision="deny"))["error"] == "access_denied"
    assert person.send(page, decision="allow").status_code == 400
    assert "code" in person.allow(app.authorize_url(**FLOW))


def test_it_refreshes_while_its_document_is_away(world: World, publisher: Publisher) -> None:
    client_id = publisher.publish(path=f"/{uuid4().hex}.json")
    app = app_of(world, client_id)
    tokens = app.log_in(Person.signed_in(world), scope="orders:read")
    publisher.said.clear()
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_the_metadata_says_that_documents_are_taken(world: World) -> None:
    for path in ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"):
        assert world.http.get(path).json()["client_id_metadata_document_supported"] is True


def test_a_redirect_uri_that_the_document_does_not_name_is_shown_and_never_redirected_to(
    world: World, publisher: Publisher
) -> None:
    app = app_of(world, publisher.publish(), "https://evil.example/cb")
    assert Person.signed_in(world).visit(app.authorize_url()).status_code == 400


REFUSED: dict[str, dict[str, Any]] = {
    "another client_id": {"client_id": "https://app.example/client.json"},
    "no client_id": {"client_id": ...},
    "a client_id that is none": {"client_id": 7},
    "a secret": {"client_secret": "s3cret"},
    "a secret's end": {"client_secret_expires_at": 0},
    "a way to authenticate with a secret": {"token_endpoint_auth_method": "client_secret_basic"},
    "keys missing": {"token_endpoint_auth_method": "private_key_jwt"},
    "no redirect URI": {"redirect_uris": ...},
    "a plain http redirect URI": {"redirect_uris": ["http://app.example/cb"]},
    "a wildcard": {"redirect_uris": [CALLBACK, "https://*.example/cb"]},
    "redirect URIs that are no list": {"redirect_uris": CALLBACK},
    "no grant there is": {"grant_types": ["implicit"]},
    "a service": {"grant_types": ["client_credentials"]},
    "a name that turns the text around": {"client_name": "\u202egnp.exe"},
}


@pytest.mark.parametrize("changed", REFUSED.values(), ids=REFUSED.keys())
@on_postgresql_alone()
def test_a_document_that_cannot_be_is_no_app(world: World, publisher: Publisher, changed: dict[str, Any]) -> None:
    client_id = publisher.publish(**changed)
    answer = Person.signed_in(world).visit(app_of(world, client_id).authorize_url())
    assert answer.status_code == 400
    assert row_of(world, client_id) is None


ANSWERS = {
    "nothing there": Answer(404),
    "an error": Answer(500, b"{}"),
    "not JSON": Answer(200, b"<html>"),
    "a list": Answer(200, b"[]"),
    "more than 5 KiB": Answer(200, b'{"x": "' + b"a" * 6000 + b'"}'),
    "compressed": Answer(200, b"{}", (("Content-Encoding", "gzip"),)),
    "no content": Answer(204),
}


@pytest.mark.parametrize("said", ANSWERS.values(), ids=ANSWERS.keys())
@on_postgresql_alone()
def test_what_is_no_document_is_no_app(world: World, publisher: Publisher, said: Answer) -> None:
    client_id = publisher.say(said)
    person = Person.signed_in(world)
    assert person.visit(app_of(world, client_id).authorize_url()).status_code == 400
    # Nobody can have it fetched again and again.
    assert person.visit(app_of(world, client_id).authorize_url()).status_code == 400
    assert publisher.asked_for(client_id) == 1


def test_a_redirect_is_not_followed(world: World, publisher: Publisher) -> None:
    there = publisher.publish()
    client_id = publisher.say(Answer(302, b"", (("Location", there),)))
    assert Person.signed_in(world).visit(app_of(world, client_id).authorize_url()).status_code == 400
    assert publisher.asked_for(there) == 0


def test_two_people_at_once_make_one_row(world: World, publisher: Publisher) -> None:
    app = app_of(world, publisher.publish())
    people = [Person.signed_in(world) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        tokens = list(pool.map(lambda person: app.log_in(person, **FLOW), people))
    assert len({one["access_token"] for one in tokens}) == 6
    count = select(Client).where(Client.client_id == app.credentials.client_id)
    assert world.transact(lambda unit: len(unit.session.exec(count).all())) == 1
    assert publisher.asked_for(app.credentials.client_id) == 1


def test_a_suspended_app_stays_out_whatever_its_document_says(world: World, publisher: Publisher) -> None:
    client_id = publisher.publish()
    app, person = app_of(world, client_id), Person.signed_in(world)
    app.log_in(person, **FLOW)
    world.suspend(app.credentials)
    assert person.visit(app.authorize_url(**FLOW)).status_code == 400


def test_an_operator_finds_it_and_shuts_it_out(world: World, publisher: Publisher) -> None:
    name = f"Described {uuid4().hex[:8]}"
    client_id = publisher.publish(client_name=name)
    app, person, boss = app_of(world, client_id), Person.signed_in(world), Person.signed_in(world)
    app.log_in(person, **FLOW)

    def raise_them(unit: Unit) -> None:
        user = find_user_by_id(unit, boss.user_id)
        assert user is not None
        user.is_operator = True
        unit.session.add(user)

    world.transact(raise_them)
    found = boss.visit(str(httpx.URL("/operator/apps", params={"q": name})))
    assert client_id in found.text
    assert "registration.invalid" not in found.text
    row = row_of(world, client_id)
    assert row is not None
    path = f"/operator/apps/{row.id}"
    assert path in found.text
    assert name in boss.visit(path).text
    page = boss.visit(f"{path}/suspend")
    boss.send(page, form=len(forms_of(page)) - 1, reason="Not what it says")
    assert person.visit(app.authorize_url(**FLOW)).status_code == 400


def test_an_app_with_keys_of_its_own_proves_itself(world: World, publisher: Publisher) -> None:
    key = ECKey.generate_key("P-256", {"kid": "one"})
    keys = publisher.say(Answer(200, json.dumps({"keys": [key.as_dict(private=False)]}).encode()))
    client_id = publisher.publish(token_endpoint_auth_method="private_key_jwt", jwks_uri=keys)
    app = app_of(world, client_id)
    code = Person.signed_in(world).allow(app.authorize_url(**FLOW))["code"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": app.verifier,
        "client_id": client_id,
    }
    assert world.http.post("/oauth/token", data=form).status_code == 401
    now = int(world.runtime.clock.now().timestamp())
    claims = {"iss": client_id, "sub": client_id, "aud": world.url, "jti": uuid4().hex, "iat": now, "exp": now + 60}
    assertion = {
        "client_assertion": jwt.encode({"alg": "ES256", "kid": "one"}, claims, key),
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }
    answer = world.http.post("/oauth/token", data={**form, **assertion})
    assert answer.status_code == 200, answer.text


def look(unit: Unit, client_id: str, *, grants_end: bool) -> None:
    """It is time to see whether the app is of any use."""
    row = find_client(unit, client_id)
    assert row is not None
    registration = unit.session.get(Registration, row.id)
    assert registration is not None
    registration.expires_at = unit.now()
    unit.session.add(registration)
    if grants_end:
        for grant in unit.session.exec(select(Grant).where(Grant.client_id == row.id)):
            unit.session.delete(grant)
    unit.session.flush()
    prune_registrations(unit, 500)


def test_what_nobody_holds_a_grant_of_any_more_is_deleted(world: World, publisher: Publisher) -> None:
    client_id = publisher.publish()
    app_of(world, client_id).log_in(Person.signed_in(world), **FLOW)
    world.transact(lambda unit: look(unit, client_id, grants_end=False))
    assert row_of(world, client_id) is not None
    world.transact(lambda unit: look(unit, client_id, grants_end=True))
    assert row_of(world, client_id) is None
    # And it may come again.
    assert app_of(world, client_id).log_in(Person.signed_in(world), **FLOW)["access_token"]


def test_a_suspended_app_is_remembered_longer_than_its_grants(world: World, publisher: Publisher) -> None:
    app = app_of(world, publisher.publish())
    app.log_in(Person.signed_in(world), **FLOW)
    world.suspend(app.credentials)
    world.transact(lambda unit: look(unit, app.credentials.client_id, grants_end=True))
    assert Person.signed_in(world).visit(app.authorize_url(**FLOW)).status_code == 400


def test_a_document_that_changed_is_another_app_to_who_allowed_or_approved_it(
    new_database: Callable[[str], str], publisher: Publisher
) -> None:
    clock = ManualClock()
    url = new_database("sqlite")
    with contextmanager(_serve)(url, clock=clock) as world:
        path = f"/{uuid4().hex}/client.json"
        short = (("Cache-Control", "public, max-age=1"),)
        client_id = publisher.publish(path=path, headers=short)
        app, person = app_of(world, client_id), Person.signed_in(world)
        app.log_in(person, **FLOW)
        world.transact(lambda unit: approve_client(unit, _get(unit, client_id), actor="test"))
        publisher.publish(
            path=path, headers=short, client_name="Another face", redirect_uris=[CALLBACK, f"{CALLBACK}/2"]
        )
        # However short its owner wants it, for a minute nobody asks again.
        clock.move(timedelta(seconds=59))
        assert "code" in answer_in(person.visit(app.authorize_url(**FLOW)))
        clock.move(timedelta(seconds=2))
        page = person.visit(app.authorize_url(**FLOW))
        assert page.url.path == "/consent"
        assert "Another face" in page.text
        assert "Not approved" in page.text
        # Whoever reads for a while allows what they read of all the same.
        clock.move(timedelta(seconds=5))
        assert "code" in answer_in(person.send(page, decision="allow"))
        row = row_of(world, client_id)
        assert row is not None
        assert (row.name, row.approved_at) == ("Another face", None)
        assert "code" in answer_in(person.visit(app.authorize_url(**FLOW)))


def _get(unit: Unit, client_id: str) -> Client:
    client = find_client(unit, client_id)
    assert client is not None
    return client


INNER = {
    "this machine": "https://127.0.0.1:{port}/client.json",
    "this machine by name": "https://localhost:{port}/client.json",
    "this machine in plain http": "http://127.0.0.1:{port}/client.json",
    "this machine, IPv6": "https://[::1]:{port}/client.json",
    "this machine, IPv4 in IPv6": "https://[::ffff:127.0.0.1]:{port}/client.json",
    "this machine, as a number": "https://2130706433:{port}/client.json",
    "this machine, in short": "https://127.1:{port}/client.json",
    "every address of this machine": "https://0.0.0.0:{port}/client.json",
    "an inner network": "https://10.0.0.1/client.json",
    "another inner network": "https://192.168.0.1/client.json",
    "an inner network of IPv6": "https://[fd00::1]/client.json",
    "the cloud's own metadata": "https://169.254.169.254/latest/meta-data",
    "a user before the host": "https://user:pw@app.example/client.json",
    "plain http": "http://app.example/client.json",
    "another scheme": "ftp://app.example/client.json",
    "a file": "file:///etc/passwd",
    "dots in the path": "https://app.example/a/../client.json",
    "encoded dots in the path": "https://app.example/a/%2e%2E/client.json",
    "no path": "https://app.example",
    "a line break": "https://app.example/a%0d%0ab\r\nX: y",
    "a name that is none": "https://xn--0/client.json",
}


@pytest.fixture(scope="module")
def careful_world(new_database: Callable[[str], str]) -> Iterator[World]:
    """A server as in production: this machine is out of bounds."""
    url = new_database("sqlite")
    yield from _serve(url, webhook_allow_loopback=False)


@pytest.mark.parametrize("pattern", INNER.values(), ids=INNER.keys())
def test_no_client_id_makes_the_server_call_where_it_must_not(
    careful_world: World, publisher: Publisher, pattern: str
) -> None:
    client_id = pattern.format(port=publisher.receiver.port)
    before = len(publisher.receiver.requests)
    url = str(httpx.URL("/oauth/authorize", params={"client_id": client_id, "redirect_uri": CALLBACK}))
    answer = careful_world.http.get(url)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert len(publisher.receiver.requests) == before


def test_where_documents_are_not_taken_a_url_is_no_client(
    new_database: Callable[[str], str], publisher: Publisher
) -> None:
    url = new_database("sqlite")
    with contextmanager(_serve)(url, cimd=False) as world:
        client_id = publisher.publish()
        assert Person.signed_in(world).visit(app_of(world, client_id).authorize_url()).status_code == 400
        assert publisher.asked_for(client_id) == 0
        metadata = world.http.get("/.well-known/oauth-authorization-server").json()
        assert metadata["client_id_metadata_document_supported"] is False


def test_an_address_has_so_many_documents_fetched_and_no_more(
    new_database: Callable[[str], str], publisher: Publisher
) -> None:
    url = new_database("sqlite")
    with contextmanager(_serve)(url, limits={"registration_per_address": "1/hour"}) as world:
        first, second = publisher.publish(), publisher.publish()
        person = Person.signed_in(world)
        assert person.visit(app_of(world, first).authorize_url()).status_code == 200
        assert person.visit(app_of(world, second).authorize_url()).status_code == 429
        # What is known is not fetched, and stays open to everybody.
        assert person.visit(app_of(world, first).authorize_url()).status_code == 200
        assert publisher.asked_for(second) == 0
