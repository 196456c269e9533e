"""API keys at the Order API: what they open, what they cost, and how they end."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from authsrv.identity.api_keys import NewApiKey, create_api_key, end_api_key
from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.machine_secrets import make_secret
from authsrv.storage.api_keys import ApiKey, find_api_key
from authsrv.storage.unit import Unit
from tests.actors import ORDER, Service, bearer
from tests.engines import on_postgresql_alone
from tests.rules.test_statements import counted
from tests.support.databases import migrate_with_keys
from tests.support.world import World


@dataclass(frozen=True)
class Key:
    """An API key as its developer holds it."""

    world: World
    store: str
    id: str
    text: str

    @classmethod
    def made(
        cls,
        world: World,
        *,
        scope: str = "orders:read orders:write",
        store: str | None = None,
        expires_seconds: int | None = None,
    ) -> "Key":
        """A key of a store of its own, unless one is named."""
        prefix = store or world.add_store().prefix
        new = NewApiKey("A key", "dev@example.com", prefix, scope, expires_seconds)
        scopes = world.runtime.server.scopes
        allowed = scopes.for_services(scopes.names)

        def work(unit: Unit) -> tuple[ApiKey, str]:
            return create_api_key(unit, new, allowed_scopes=allowed, entropy=SystemEntropy(), actor="test")

        row, text = world.transact(work)
        return cls(world, prefix, row.key_id, text)

    @property
    def header(self) -> dict[str, str]:
        return bearer(self.text)

    def list(self, http: httpx.Client | None = None) -> httpx.Response:
        return (http or self.world.http).get("/orders", headers=self.header)

    def revoke(self) -> None:
        self.world.transact(lambda unit: end_api_key(unit, self.id, actor="test"))

    def row(self) -> ApiKey:
        found = self.world.transact(lambda unit: find_api_key(unit, self.id))
        assert found is not None
        return found[0]


def test_a_key_places_and_reads_orders_of_its_store(world: World) -> None:
    key = Key.made(world)
    placed = world.http.post("/orders", json=ORDER, headers=key.header)
    assert placed.status_code == 201, placed.text
    order_id = placed.json()["order_id"]
    assert world.http.get(f"/orders/{order_id}", headers=key.header).status_code == 200
    assert [order["order_id"] for order in key.list().json()] == [order_id]
    # The same store's service sees it too, another store's key does not.
    assert Service.hired(world, store=key.store).read(order_id).status_code == 200
    assert world.http.get(f"/orders/{order_id}", headers=Key.made(world).header).status_code == 404
    assert world.http.get(f"/stores/{Key.made(world).store}/orders", headers=key.header).status_code == 403


def test_a_key_must_name_the_customer(world: World) -> None:
    order = {name: value for name, value in ORDER.items() if name != "customer_id"}
    answer = world.http.post("/orders", json=order, headers=Key.made(world).header)
    assert answer.status_code == 400
    assert "customer_id" in answer.json()["error"]["message"]


def test_a_key_can_do_what_its_scopes_say(world: World) -> None:
    key = Key.made(world, scope="orders:read")
    assert key.list().status_code == 200
    answer = world.http.post("/orders", json=ORDER, headers=key.header)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "insufficient_scope"


def test_a_key_is_one_text_of_letters_digits_dash_and_underscore(world: World) -> None:
    key = Key.made(world)
    assert re.fullmatch(r"ak_[A-Za-z0-9_-]{16}_[A-Za-z0-9_-]{49}", key.text)
    assert key.text.startswith(f"{key.id}_")
    row = key.row()
    assert row.last_four == key.text[-4:]
    assert key.text.encode() not in row.digest


def test_a_revoked_key_is_refused_at_once(world: World) -> None:
    key = Key.made(world)
    assert key.list().status_code == 200
    key.revoke()
    answer = key.list()
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_a_key_is_refused_in_every_process_within_a_second(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'authsrv.db'}"
    migrate_with_keys(url)
    one, other = World(url), World(url)
    try:
        key = Key.made(one)
        assert key.list(other.http).status_code == 200
        key.revoke()
        time.sleep(1)
        assert key.list(other.http).status_code == 401
    finally:
        one.close()
        other.close()


def test_a_key_ends_when_it_was_told_to(world: World) -> None:
    key = Key.made(world, expires_seconds=1)
    assert Key.made(world, expires_seconds=60).list().status_code == 200
    time.sleep(1.1)
    assert key.list().status_code == 401


def guessed(key: Key) -> str:
    """The key's id with another secret, checksum and all."""
    return make_secret(f"{key.id}_", SystemEntropy())


def test_the_id_alone_opens_nothing(world: World) -> None:
    key = Key.made(world)
    for _ in range(2):
        assert world.http.get("/orders", headers=bearer(guessed(key))).status_code == 401
        assert world.http.get("/orders", headers=bearer(key.id)).status_code == 401
        assert key.list().status_code == 200


MALFORMED: dict[str, Callable[[Key], str]] = {
    "one character less": lambda key: key.text[:-1],
    "one character more": lambda key: key.text + "A",
    "a mistyped character": lambda key: key.text[:30] + ("a" if key.text[30] != "a" else "b") + key.text[31:],
    "upper case": lambda key: key.text.upper(),
    "the id alone": lambda key: key.id,
    "the prefix alone": lambda key: "ak_",
    "not ASCII": lambda key: key.text[:-1] + "\u00e9",
}


@pytest.mark.parametrize("spoil", MALFORMED.values(), ids=MALFORMED.keys())
@on_postgresql_alone()
def test_a_malformed_key_is_refused_without_a_query(world: World, spoil: Callable[[Key], str]) -> None:
    header = {b"Authorization": f"Bearer {spoil(Key.made(world))}".encode()}
    world.http.get("/readyz")
    with counted(world) as statements:
        answer = world.http.get("/orders", headers=header)
    assert answer.status_code == 401
    assert [words for words in statements if "api_key" in words] == []


def test_a_known_key_is_judged_without_a_query(world: World) -> None:
    key = Key.made(world, scope="webhooks")
    asked: list[str] = []
    for _ in range(5):
        world.http.get("/readyz")
        assert key.list().status_code == 403
        with counted(world) as statements:
            # 403 for want of a scope: the key is known, and nothing else is asked for.
            assert key.list().status_code == 403
        asked = [words for words in statements if "api_key" in words or "client" in words]
        if not asked:
            break
    assert asked == []


def test_the_last_use_is_written_down_beside_the_requests(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'authsrv.db'}"
    migrate_with_keys(url)
    world = World(url)
    key = Key.made(world)
    with counted(world) as statements:
        for _ in range(3):
            assert key.list().status_code == 200
    assert [words for words in statements if words.startswith("UPDATE api_key")] == []
    assert key.row().last_used_at is None
    # A process that ends writes down what it knows.
    world.close()
    next_world = World(url)
    try:
        assert replace(key, world=next_world).row().last_used_at is not None
    finally:
        next_world.close()
