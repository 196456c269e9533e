"""Where not anybody may register: initial access tokens, and a limit for each address (RFC 7591, 3)."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from authsrv.kit.handles import Handle
from authsrv.oauth.registering import INITIAL_ACCESS_TOKEN
from authsrv.storage.registrations import (
    add_initial_access_token,
    revoke_initial_access_token,
)
from authsrv.storage.unit import Unit
from tests.people import CALLBACK
from tests.registering import NO_LIMIT, PUBLIC, manage, register
from tests.support.world import World


@pytest.fixture(scope="module")
def by_token(new_database: Callable[[str], str]) -> Iterator[World]:
    """A server where an initial access token is needed."""
    url = new_database("sqlite")
    world = World(url, registration="token", limits=NO_LIMIT)
    yield world
    world.close()


def initial_token(world: World, *, lives: timedelta | None = None) -> tuple[Any, str]:
    """Its id and its text."""

    def work(unit: Unit) -> Any:
        return add_initial_access_token(unit, "a partner", unit.now() + lives if lives else None).id

    token_id = world.transact(work)
    return token_id, world.runtime.sealer.seal(INITIAL_ACCESS_TOKEN, Handle(token_id, 0))


def test_with_an_initial_access_token_an_app_registers_until_it_is_revoked_or_expires(by_token: World) -> None:
    token_id, token = initial_token(by_token)
    assert register(by_token, token, redirect_uris=[CALLBACK]).status_code == 201
    assert register(by_token, token, redirect_uris=[CALLBACK]).status_code == 201
    assert by_token.transact(lambda unit: revoke_initial_access_token(unit, token_id))
    assert register(by_token, token, redirect_uris=[CALLBACK]).status_code == 401
    _, expired = initial_token(by_token, lives=timedelta(seconds=-1))
    assert register(by_token, expired, redirect_uris=[CALLBACK]).status_code == 401


def test_without_one_nobody_registers(by_token: World) -> None:
    missing = register(by_token, redirect_uris=[CALLBACK])
    assert (missing.status_code, missing.json()) == (401, {})
    made_up = register(by_token, "ia_AAAA", redirect_uris=[CALLBACK])
    assert (made_up.status_code, made_up.json()["error"]) == (401, "invalid_token")


def test_two_parties_with_tokens_of_their_own_do_not_share_a_client(by_token: World) -> None:
    made = [register(by_token, initial_token(by_token)[1], **PUBLIC).json() for _ in range(2)]
    assert made[0]["client_id"] != made[1]["client_id"]


def test_an_address_registers_so_many_and_then_waits(new_database: Callable[[str], str]) -> None:
    url = new_database("sqlite")
    world = World(url, registration="open", limits={"registration_per_address": "2/hour"})
    answers = [register(world, redirect_uris=[CALLBACK]) for _ in range(3)]
    made = answers[0].json()
    wanted = {"client_id": made["client_id"], "redirect_uris": [CALLBACK]}
    changes = [manage(world, made, "PUT", json=wanted).status_code for _ in range(3)]
    world.close()
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert changes == [200, 200, 429]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 3600
