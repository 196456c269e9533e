"""Ten thousand strings that are no access token: refused by arithmetic, before any query."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import pytest
from sqlalchemy import event

from authsrv.kit.handles import Handle, HandleSealer, Purpose
from authsrv.kit.secret_keys import SecretKeys
from authsrv.oauth.tokens import OPAQUE_ACCESS
from tests.actors import Service
from tests.support.databases import migrate_with_keys
from tests.support.world import SECRET_KEY, World

COUNT = 10_000
SAMPLE = 60
NO_LIMITS = {"token_per_client": "off", "api_per_credential": "off"}
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@dataclass
class Forger:
    """Holds one good token of each format, and another server's secret."""

    chance: random.Random
    jwt: str
    opaque: str

    def forgeries(self) -> Iterator[str]:
        makers = (self.noise, self.truncated, self.flipped, self.mistyped, self.misused, self.sealed_elsewhere)
        for number in range(COUNT):
            yield makers[number % len(makers)]()

    def noise(self) -> str:
        text = "".join(self.chance.choices(LETTERS, k=self.chance.randrange(1, 200)))
        return self.chance.choice(("", "at_", "rt_", "ac_", "cs_", "eyJ")) + text

    def truncated(self) -> str:
        good = self.good()
        return good[: self.chance.randrange(1, len(good))]

    def flipped(self) -> str:
        """One bit of one character."""
        good = self.good()
        at = self.chance.randrange(len(good))
        return good[:at] + chr(ord(good[at]) ^ 1 << self.chance.randrange(7)) + good[at + 1 :]

    def mistyped(self) -> str:
        good = self.good()
        at = self.chance.randrange(len(good))
        other = self.chance.choice(LETTERS.replace(good[at], ""))
        return good[:at] + other + good[at + 1 :]

    def misused(self) -> str:
        """A handle that this very server sealed for something else, under its own prefix or under ours."""
        number = self.chance.choice([number for number in range(256) if number != OPAQUE_ACCESS.number])
        prefix = self.chance.choice(("ac_", "rt_", "ss_", OPAQUE_ACCESS.prefix))
        return self.sealed(SECRET_KEY, Purpose(number, prefix))

    def sealed_elsewhere(self) -> str:
        return self.sealed(f"another server's secret, number {self.chance.random()}", OPAQUE_ACCESS)

    def sealed(self, secret: str, purpose: Purpose) -> str:
        return HandleSealer(SecretKeys([secret])).seal(purpose, Handle(self.said.row_id, 2**40, self.said.attachment))

    @cached_property
    def said(self) -> Handle:
        """What the good handle says; a forger may know all of it."""
        said = HandleSealer(SecretKeys([SECRET_KEY])).open(OPAQUE_ACCESS, self.opaque)
        assert said
        return said

    def good(self) -> str:
        return self.chance.choice((self.jwt, self.opaque))


@pytest.fixture
def quiet_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server that asks its database nothing by itself, so that every statement is a request's."""
    url = f"sqlite:///{tmp_path_factory.mktemp('quiet') / 'authsrv.db'}"
    migrate_with_keys(url)
    world = World(
        url, feed={"poll_seconds": 900.0, "max_age_seconds": 900.0}, pruning={"every_seconds": 900.0}, limits=NO_LIMITS
    )
    yield world
    world.close()


def test_ten_thousand_forgeries_are_refused_and_none_reaches_the_database(quiet_world: World) -> None:
    service = Service.hired(quiet_world)
    opaque = Service.hired(quiet_world, store=service.store, token_format="opaque")
    forger = Forger(random.Random(2), service.get_token(), opaque.get_token())
    principals = quiet_world.runtime.principals
    # The good ones are good, and each is warm: what follows asks for nothing new.
    assert principals.find(forger.jwt)
    assert principals.find(forger.opaque)
    assert service.introspect(forger.jwt)["active"] is True
    forgeries = list(forger.forgeries())
    statements = statements_of_requests(quiet_world)

    accepted = [text for text in forgeries if principals.find(text) is not None]

    assert accepted == []
    for text in random.Random(3).sample(forgeries, SAMPLE):
        assert service.introspect(text) == {"active": False}
        if text.isprintable():
            refused = quiet_world.http.get("/orders", headers={"Authorization": f"Bearer {text}"})
            assert refused.status_code == 401
        assert service.revoke(text).status_code == 200
    assert statements == []
    # Whoever asks for something does ask the database, or this proved nothing.
    assert quiet_world.http.get("/orders", headers={"Authorization": f"Bearer {forger.jwt}"}).status_code == 200
    assert len(statements) > 0


def statements_of_requests(world: World) -> list[str]:
    """What the database is asked from now on, except by the tasks that run beside the requests."""
    heard: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        task = asyncio.current_task()
        if task is None or "run_asgi" in str(task.get_coro()):
            heard.append(statement)

    event.listen(world.database.engine.sync_engine, "before_cursor_execute", hear)
    return heard


def test_the_other_spellings_of_a_good_token_are_refused(quiet_world: World) -> None:
    """One token has one spelling: base64url without padding, spaces, or loose last bits (RFC 4648, 3.5)."""
    service = Service.hired(quiet_world, token_format="opaque")
    jwt = Service.hired(quiet_world, store=service.store).get_token()
    opaque = service.get_token()
    spellings = [text + end for text in (jwt, opaque) for end in ("=", "==", " ", "\n", "\0", ".", "A")]
    for text in (jwt, opaque):
        spellings += [text[:-1] + other for other in LETTERS if other != text[-1]]
        spellings += [text.replace("_", "/"), text.replace("-", "+"), text.upper(), text.lower()]
    accepted = [text for text in spellings if text not in {jwt, opaque} and quiet_world.runtime.principals.find(text)]
    assert accepted == []
