"""Signing keys change over without any verifier or token noticing."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from authsrv.identity.revocations import RevocationList
from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.handles import HandleSealer
from authsrv.kit.identifiers import Identifiers
from authsrv.kit.secret_keys import SecretKeys
from authsrv.kit.signing import read_header
from authsrv.kit.vault import SealBroken, Vault
from authsrv.oauth.clients import ClientDirectory, RegisteredClient, registered
from authsrv.oauth.keyring import LONGEST_TOKEN, Keyring, ensure_keys, rotate_keys, state_of
from authsrv.oauth.registration import NewClient, create_client
from authsrv.oauth.scopes import ScopeCatalogue
from authsrv.oauth.tokens import AccessTokens
from authsrv.settings import config_file
from authsrv.storage.audit import list_audit_events
from authsrv.storage.signing_keys import list_signing_keys, prune_signing_keys
from authsrv.storage.unit import Unit
from tests.support.world import ManualClock

SECRETS = SecretKeys(["a secret of the tests, long enough for every purpose"])
VAULT = Vault(SECRETS, "signing key", SystemEntropy())
ANNOUNCE = timedelta(minutes=15)


class Ring:
    """A server's keys over time."""

    def __init__(self, unit: Unit, clock: ManualClock) -> None:
        self.unit = unit
        self.clock = clock
        self.keyring = Keyring(VAULT, clock)
        ensure_keys(unit, VAULT)
        self.load()

    def load(self) -> None:
        self.keyring.load(self.unit)

    def rotate(self, **choices: timedelta) -> int:
        added = rotate_keys(self.unit, VAULT, announce=ANNOUNCE, actor="test", **choices)
        self.load()
        return len(added)

    def kid(self) -> str:
        return self.keyring.signing("ES256").kid

    def published(self) -> set[str]:
        return {key["kid"] for key in orjson.loads(self.keyring.jwks())["keys"] if key["alg"] == "ES256"}

    def states(self) -> list[str]:
        rows = list_signing_keys(self.unit)
        return [state_of(row, rows, self.clock.now()) for row in rows if row.algorithm == "ES256"]


@pytest.fixture
def ring(unit: Unit, clock: ManualClock) -> Ring:
    return Ring(unit, clock)


def test_the_first_keys_sign_at_once_and_are_made_but_once(ring: Ring) -> None:
    assert ring.keyring.algorithms == ["ES256", "RS256", "EdDSA"]
    first = ring.kid()
    ensure_keys(ring.unit, VAULT)
    ring.load()
    assert ring.kid() == first
    assert ring.states() == ["signing"]


def test_a_new_key_is_shown_before_it_signs_and_the_old_one_after_it_stopped(ring: Ring) -> None:
    old = ring.kid()

    assert ring.rotate() == 3

    assert ring.states() == ["signing", "announced"]
    assert ring.kid() == old
    assert len(ring.published()) == 2
    ring.clock.move(ANNOUNCE - timedelta(seconds=1))
    assert ring.kid() == old

    # No process has to read or be told anything for the change-over.
    ring.clock.move(timedelta(seconds=1))

    new = ring.kid()
    assert new != old
    assert ring.published() == {old, new}
    assert ring.states() == ["retired", "signing"]


def test_the_old_key_goes_when_no_token_of_its_can_live(ring: Ring) -> None:
    old = ring.kid()
    ring.rotate()
    ring.clock.move(ANNOUNCE + LONGEST_TOKEN)
    assert prune_signing_keys(ring.unit, 10) == 0
    ring.load()
    assert old in ring.published()
    ring.clock.move(timedelta(hours=2))
    ring.load()
    assert old not in ring.published()
    assert prune_signing_keys(ring.unit, 10) == 3
    assert ring.states() == ["signing"]


def test_rotating_twice_leaves_the_announcement_alone(ring: Ring) -> None:
    ring.rotate()
    published = ring.published()
    ring.clock.move(timedelta(minutes=5))
    assert ring.rotate() == 0
    assert ring.published() == published
    ring.clock.move(timedelta(minutes=10))
    assert ring.states() == ["retired", "signing"]


def test_keys_are_replaced_by_themselves_when_they_are_old(ring: Ring) -> None:
    due = timedelta(days=90)
    assert ring.rotate(older_than=due) == 0
    ring.clock.move(due - timedelta(seconds=1))
    assert ring.rotate(older_than=due) == 0
    ring.clock.move(timedelta(seconds=1))
    assert ring.rotate(older_than=due) == 3
    assert ring.rotate(older_than=due) == 0


def test_a_rotation_is_written_down(ring: Ring) -> None:
    ring.rotate()
    events = list_audit_events(ring.unit)
    assert [event.event for event in events] == ["signing_key.announced"] * 3
    assert {event.actor for event in events} == {"test"}


def test_stored_keys_cannot_be_read_without_the_secret(ring: Ring, clock: ManualClock) -> None:
    for row in list_signing_keys(ring.unit):
        assert b'"d"' not in row.sealed_jwk
        assert b"kty" not in row.sealed_jwk
    stranger = Vault(SecretKeys(["another secret, one that sealed nothing"]), "signing key", SystemEntropy())
    with pytest.raises(SealBroken):
        Keyring(stranger, clock).load(ring.unit)


def test_tokens_of_an_old_key_are_good_until_they_expire(ring: Ring) -> None:
    month = int(LONGEST_TOKEN.total_seconds())
    tokens, client = tokens_of(ring), client_of(ring.unit, access_seconds=month)
    ring.rotate()
    ring.clock.move(ANNOUNCE - timedelta(seconds=1))
    text, _ = tokens.issue(client, ["orders:read"], ("https://x.example",))
    old = ring.kid()
    ring.clock.move(timedelta(seconds=1))

    assert ring.kid() != old
    for days in (10, 10, 11):
        assert tokens.find(text) is not None
        ring.clock.move(timedelta(days=days) - timedelta(seconds=1))
        prune_signing_keys(ring.unit, 10)
        ring.load()
        tokens.forget()
    ring.clock.move(timedelta(minutes=1))
    assert tokens.find(text) is None
    header = read_header(text)
    assert header is not None
    assert header["kid"] == old


def tokens_of(ring: Ring) -> AccessTokens:
    return AccessTokens(
        issuer="https://x.example",
        keyring=ring.keyring,
        clients=ClientDirectory(),
        sealer=HandleSealer(SECRETS),
        revocations=RevocationList(ring.clock),
        clock=ring.clock,
        identifiers=Identifiers(ring.clock, SystemEntropy()),
        vault=Vault(SECRETS, "person", SystemEntropy()),
        access_seconds=3600,
    )


def client_of(unit: Unit, **values: Any) -> RegisteredClient:
    scopes = ScopeCatalogue.read(config_file("scopes.toml"))
    new = NewClient(name="An app", developer="dev@example.com", type="service", **values)
    return registered(create_client(unit, new, client_id="app", actor="test", scopes=scopes), None, (), "")
