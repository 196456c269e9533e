"""API keys below the seam: making, reading, forgetting, and noting their use."""

from datetime import timedelta

import pytest

from authsrv.identity.api_keys import ApiKeys, NewApiKey, create_api_key, end_api_key, status_of
from authsrv.identity.principals import LookUp, Principal
from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.errors import DomainError
from authsrv.storage.api_keys import ApiKey, find_api_key, note_key_uses
from authsrv.storage.audit import list_audit_events
from authsrv.storage.stores import add_store
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_user
from tests.support.world import ManualClock

ISSUER = "https://auth.shops.example"
ALLOWED = ("orders:read", "orders:write")


@pytest.fixture
def keys(clock: ManualClock) -> ApiKeys:
    return ApiKeys(ISSUER, clock)


@pytest.fixture(autouse=True)
def store(unit: Unit) -> None:
    add_store(unit, prefix="shop", name="A shop", currency="EUR")


def make(unit: Unit, **changes: object) -> tuple[ApiKey, str]:
    wanted = {"name": "A key", "developer": "dev@example.com", "store": "shop", "scope": "orders:read", **changes}
    new = NewApiKey(**wanted)  # type: ignore[arg-type]  # the keywords are the test's own
    return create_api_key(unit, new, allowed_scopes=ALLOWED, entropy=SystemEntropy(), actor="test")


def read(keys: ApiKeys, unit: Unit, text: str) -> Principal | None:
    found = keys.read(text)
    return found.find(unit) if isinstance(found, LookUp) else found


def test_a_key_speaks_for_its_store_with_its_scopes(unit: Unit, keys: ApiKeys) -> None:
    row, text = make(unit, scope="orders:write orders:read orders:write")
    principal = read(keys, unit, text)
    assert principal == Principal(
        client_id=row.key_id,
        user_id=None,
        store="shop",
        scopes=frozenset(ALLOWED),
        audiences=frozenset({ISSUER}),
    )
    assert row.scope == "orders:write orders:read"
    assert find_user(unit, "dev@example.com") is not None


def test_a_key_is_looked_up_once_and_then_known(unit: Unit, keys: ApiKeys) -> None:
    _, text = make(unit)
    assert isinstance(keys.read(text), LookUp)
    assert read(keys, unit, text)
    assert isinstance(keys.read(text), Principal)


def test_a_key_that_does_not_exist_is_looked_up_once(unit: Unit, keys: ApiKeys) -> None:
    row, text = make(unit)
    unit.session.delete(row)
    unit.session.flush()
    assert isinstance(keys.read(text), LookUp)
    assert read(keys, unit, text) is None
    assert keys.read(text) is None


def test_a_revoked_key_is_forgotten_when_the_feed_says_so(unit: Unit, keys: ApiKeys) -> None:
    row, text = make(unit)
    assert read(keys, unit, text)
    unit.notices.clear()
    end_api_key(unit, row.key_id, actor="dev@example.com")
    keys.hear(unit.notices)
    assert read(keys, unit, text) is None
    with pytest.raises(DomainError, match="no living API key"):
        end_api_key(unit, row.key_id, actor="dev@example.com")
    events = [(event.event, event.actor) for event in list_audit_events(unit, subject=row.key_id)]
    assert events == [("api_key.revoked", "dev@example.com"), ("api_key.created", "test")]


def test_a_known_key_expires_without_being_looked_up(unit: Unit, keys: ApiKeys, clock: ManualClock) -> None:
    row, text = make(unit, expires_seconds=60)
    assert read(keys, unit, text)
    assert status_of(row, clock.now()) == "active"
    clock.move(timedelta(seconds=60))
    assert keys.read(text) is None
    assert status_of(row, clock.now()) == "expired"


def test_a_use_is_noted_once_in_five_minutes_and_never_set_back(unit: Unit, keys: ApiKeys, clock: ManualClock) -> None:
    row, text = make(unit)
    began = clock.now()
    for _ in range(3):
        assert read(keys, unit, text)
    assert keys.take_uses() == {row.key_id: began}
    assert keys.take_uses() == {}
    clock.move(timedelta(seconds=299))
    assert read(keys, unit, text)
    assert keys.take_uses() == {}
    clock.move(timedelta(seconds=1))
    assert read(keys, unit, text)
    later = keys.take_uses()
    note_key_uses(unit, sorted(later.items()))
    note_key_uses(unit, [(row.key_id, began)])
    unit.session.expire_all()
    found = find_api_key(unit, row.key_id)
    assert found is not None
    assert found[0].last_used_at == clock.now()


def test_a_refused_key_is_not_noted_as_used(unit: Unit, keys: ApiKeys, clock: ManualClock) -> None:
    _, text = make(unit, expires_seconds=1)
    clock.move(timedelta(seconds=2))
    assert read(keys, unit, text) is None
    assert keys.take_uses() == {}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"name": " "}, "name", id="no name"),
        pytest.param({"name": "a\nb"}, "name", id="a name of two lines"),
        pytest.param({"store": "elsewhere"}, "store", id="no such store"),
        pytest.param({"scope": ""}, "scope", id="no scope"),
        pytest.param({"scope": "orders:read openid"}, "scope", id="a scope that speaks of a person"),
        pytest.param({"expires_seconds": 0}, "expires_in", id="an end at once"),
        pytest.param({"expires_seconds": 10**12}, "expires_in", id="an end no clock can tell"),
    ],
)
def test_what_cannot_be_is_refused_by_name(unit: Unit, changes: dict[str, object], field: str) -> None:
    with pytest.raises(DomainError, match=f"{field}: "):
        make(unit, **changes)
