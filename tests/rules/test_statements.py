"""What a request may cost in SQL, on a warm process; and that a forgery costs none (the design's budget)."""

import random
import re
import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from authsrv.kit.handles import Handle, Purpose
from authsrv.kit.identifiers import Identifiers
from tests.actors import Service, bearer
from tests.conftest import ENGINES
from tests.support.world import World

BESIDE = re.compile(
    r"\b(?:(?:FROM|UPDATE|INTO) (?:delivery|delivery_attempt|lease|usage)|UPDATE (?:api_key|client_secret))\b"
    # A delivery's own webhook; a request asks for all that listen.
    r"|\b(?:FROM|UPDATE) webhook .*\bwebhook\.id = "
)
Act = Callable[[Service], httpx.Response]


@contextmanager
def counted(world: World) -> Iterator[list[str]]:
    """The statements meanwhile, without those of what runs beside requests: the feed's readings, posting, tidying."""
    statements: list[str] = []

    def note(statement: str) -> None:
        words = " ".join(statement.split())
        is_reading = words.startswith("SELECT") and "revocation" in words
        if not is_reading and not words.startswith("BEGIN") and not BESIDE.search(words):
            statements.append(words)

    end = world.database.watch(note)
    try:
        yield statements
    finally:
        end()


def cost(service: Service, act: Act, *, at_most: int) -> list[str]:
    """The statements of a request on a warm process.

    Warm is a process that has looked everything up since it last read that something changed. While a transaction is
    open anywhere in a PostgreSQL cluster it reads the same news again, so it gets a few tries.
    """
    verbs: list[str] = []
    for _ in range(5):
        service.world.http.get("/readyz")
        act(service)
        with counted(service.world) as statements:
            answer = act(service)
        assert answer.status_code < 500
        verbs = [statement.partition(" ")[0] for statement in statements]
        if len(verbs) <= at_most:
            break
    return verbs


NOTHING: dict[str, Act] = {
    "a JWT": lambda service: service.ask_for_token(),
    "a token for a resource": lambda service: service.ask_for_token(resource=f"{service.world.url}/orders"),
    "a wrong secret": lambda service: service.world.http.post("/oauth/token", auth=(service.client_id, "wrong")),
    "introspection": lambda service: post_token(service, "/oauth/introspect", service.bearer["Authorization"][7:]),
    "introspection of garbage": lambda service: post_token(service, "/oauth/introspect", "garbage"),
    "revocation of garbage": lambda service: post_token(service, "/oauth/revoke", "garbage"),
    "the keys": lambda service: service.world.http.get("/oauth/jwks"),
    "the metadata": lambda service: service.world.http.get("/.well-known/oauth-authorization-server"),
    "OpenID's metadata": lambda service: service.world.http.get("/.well-known/openid-configuration"),
    "a resource's metadata": lambda service: service.world.http.get("/.well-known/oauth-protected-resource/orders"),
    "a call without a token": lambda service: service.world.http.get("/orders"),
    "a call with a forged token": lambda service: service.world.http.get("/orders", headers=bearer("at_AAAA")),
    "liveness": lambda service: service.world.http.get("/healthz"),
}


def post_token(service: Service, path: str, token: str) -> httpx.Response:
    return service.world.http.post(path, data={"token": token}, auth=service.basic)


@pytest.mark.parametrize("act", NOTHING.values(), ids=NOTHING.keys())
def test_what_is_asked_most_asks_the_database_nothing(world: World, act: Act) -> None:
    assert cost(Service.hired(world), act, at_most=0) == []


@pytest.mark.parametrize("token_format", ["jwt", "opaque"])
def test_a_revocation_is_one_write(world: World, token_format: str) -> None:
    service = Service.hired(world, token_format=token_format)
    tokens = [service.get_token() for _ in range(10)]
    assert cost(service, lambda client: client.revoke(tokens.pop()), at_most=1) == ["INSERT"]


def test_reading_an_order_is_one_statement_and_one_for_its_lines(world: World) -> None:
    service = Service.hired(world)
    order_id = service.place().json()["order_id"]
    assert cost(service, lambda client: client.read(order_id), at_most=2) == ["SELECT", "SELECT"]


def test_a_list_costs_the_same_however_long_it_is(world: World) -> None:
    service = Service.hired(world)
    for _ in range(3):
        service.place()
        # The orders, their lines, and how many there are.
        assert cost(service, lambda client: client.list(), at_most=3) == ["SELECT"] * 3


@pytest.mark.parametrize("engine", ENGINES)
def test_ten_thousand_forgeries_are_refused_and_none_reaches_the_database(
    request: pytest.FixtureRequest, engine: str
) -> None:
    world: World = request.getfixturevalue(f"{engine}_world")
    service = Service.hired(world, token_format="opaque")
    real = [service.get_token(), Service.hired(world).get_token()]
    dice = random.Random(engine)
    sealer = world.runtime.server.tokens._sealer  # noqa: SLF001 - the very seals of this server
    find = world.runtime.principals.find
    assert all(find(token) for token in real)
    with counted(world) as statements:
        for _ in range(2_500):
            assert find("at_" + "".join(dice.choices(string.ascii_letters + "-_", k=dice.randint(0, 300)))) is None
            token = dice.choice(real)
            assert find(token[: dice.randrange(len(token))]) is None
            at = dice.randrange(len(token) - 1)
            flipped = token[:at] + chr(ord(token[at]) ^ 1 << dice.randrange(7)) + token[at + 1 :]
            assert find(flipped) is None
            handle = Handle(Identifiers(world.runtime.clock, _Dice(dice)).next(), dice.randrange(2**63), b"[]")
            wrong = sealer.seal(Purpose(dice.choice([1, 2, 4, 5]), "at_"), handle)
            assert find(wrong) is None
    assert statements == []


class _Dice:
    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def token_bytes(self, count: int) -> bytes:
        return self._dice.randbytes(count)

    def fraction(self) -> float:
        return self._dice.random()
